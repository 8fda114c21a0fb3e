//! Pixels of a recorded picture.

use std::borrow::Cow;
use std::io::Cursor;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float32Type, UInt8Type, UInt16Type};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Limits};
use tiller_messages::{Encoding, ImageHeader, MAX_PIXELS};

/// The bytes of a picture as its encoding says, little-endian.
///
/// # Errors
/// With what was found instead.
pub fn bytes<'a>(header: &ImageHeader, data: &'a dyn Array) -> Result<Cow<'a, [u8]>, String> {
    if data.null_count() > 0 {
        return Err(format!("{} nulls among the pixels", data.null_count()));
    }
    let bytes = match data.data_type() {
        DataType::UInt8 => Cow::Borrowed(data.as_primitive::<UInt8Type>().values().as_ref()),
        DataType::UInt16 if header.encoding == Encoding::Mono16 => {
            let words = data.as_primitive::<UInt16Type>().values();
            Cow::Owned(words.iter().flat_map(|word| word.to_le_bytes()).collect())
        }
        DataType::Float32 if header.encoding == Encoding::Depth32F => {
            let metres = data.as_primitive::<Float32Type>().values();
            Cow::Owned(metres.iter().flat_map(|m| m.to_le_bytes()).collect())
        }
        other => {
            let word = header.encoding.as_str();
            return Err(format!("data of type {other} for `{word}`"));
        }
    };
    header
        .check_len(bytes.len())
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Whether a picture may be one of a camera's in colour. What a PNG file holds is seen only when it is read.
#[must_use]
pub fn is_colour(encoding: Encoding) -> bool {
    matches!(
        encoding,
        Encoding::Rgb8 | Encoding::Bgr8 | Encoding::Jpeg | Encoding::Png
    )
}

/// A colour picture as interleaved 8-bit RGB of the header's size.
///
/// # Errors
/// With what was found instead.
pub fn rgb(header: &ImageHeader, data: &dyn Array) -> Result<Vec<u8>, String> {
    let bytes = bytes(header, data)?;
    match header.encoding {
        Encoding::Rgb8 => Ok(bytes.into_owned()),
        Encoding::Bgr8 => {
            let mut pixels = bytes.into_owned();
            for pixel in pixels.chunks_exact_mut(3) {
                pixel.swap(0, 2);
            }
            Ok(pixels)
        }
        Encoding::Jpeg => decoded(header, &bytes, ImageFormat::Jpeg),
        Encoding::Png => decoded(header, &bytes, ImageFormat::Png),
        other => Err(format!("`{}`, which has no colour", other.as_str())),
    }
}

fn decoded(header: &ImageHeader, file: &[u8], format: ImageFormat) -> Result<Vec<u8>, String> {
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(8 * MAX_PIXELS as u64);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| error.to_string())?;
    let found = [image.width() as usize, image.height() as usize];
    if found != [header.width, header.height] {
        let [width, height] = found;
        let (w, h) = (header.width, header.height);
        return Err(format!("a file of {width} x {height} pixels for {w} x {h}"));
    }
    Ok(image.into_rgb8().into_raw())
}

/// A PNG file of interleaved 8-bit RGB.
///
/// # Errors
/// With what the encoder said.
pub fn png(rgb: &[u8], [width, height]: [u32; 2]) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, UInt8Array, UInt16Array};

    use super::*;

    fn header(encoding: Encoding) -> ImageHeader {
        ImageHeader {
            width: 2,
            height: 1,
            encoding,
            ..ImageHeader::default()
        }
    }

    #[test]
    fn colours_come_out_as_rgb_whatever_they_were() {
        let pixels = vec![1, 2, 3, 4, 5, 6];
        let raw: ArrayRef = Arc::new(UInt8Array::from(pixels.clone()));
        assert_eq!(rgb(&header(Encoding::Rgb8), &raw).unwrap(), pixels);
        assert_eq!(
            rgb(&header(Encoding::Bgr8), &raw).unwrap(),
            [3, 2, 1, 6, 5, 4]
        );
        let file: ArrayRef = Arc::new(UInt8Array::from(png(&pixels, [2, 1]).unwrap()));
        assert_eq!(rgb(&header(Encoding::Png), &file).unwrap(), pixels);
        let text = rgb(&header(Encoding::Mono8), &raw).unwrap_err();
        assert!(text.contains("2 bytes"), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let short: ArrayRef = Arc::new(UInt8Array::from(vec![1, 2]));
        let text = rgb(&header(Encoding::Rgb8), &short).unwrap_err();
        assert!(text.contains("6 bytes"), "{text}");
        let words: ArrayRef = Arc::new(UInt16Array::from(vec![1, 258]));
        assert_eq!(
            bytes(&header(Encoding::Mono16), &words).unwrap().as_ref(),
            [1, 0, 2, 1]
        );
        assert!(bytes(&header(Encoding::Mono8), &words).is_err());
        let large = ImageHeader {
            width: 3,
            ..header(Encoding::Png)
        };
        let file: ArrayRef = Arc::new(UInt8Array::from(png(&[0; 6], [2, 1]).unwrap()));
        assert!(rgb(&large, &file).unwrap_err().contains("2 x 1"));
    }
}
