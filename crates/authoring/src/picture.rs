//! Frames as pictures that a model takes.

use image::codecs::png::PngEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageEncoder, ImageError, RgbImage};
use tiller_vlm::provider::{Picture, PictureError};

/// Shorter side that a model's picture has at least, pixels.
const LEAST_SIDE: u32 = 640;

/// Why there is no picture of a frame.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// As many pixels as the frame should have are not there.
    #[error("expected {width} x {height} pixels, found {bytes} bytes")]
    Size {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// Three of them should be a pixel.
        bytes: usize,
    },
    /// It cannot be written.
    #[error("cannot encode a picture: {0}")]
    Encoder(#[from] ImageError),
    /// A model would not take it.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// A PNG of interleaved 8-bit RGB, enlarged so that a model can make something of it.
///
/// # Errors
/// [`EncodeError`] when size and pixels do not agree, or the picture is too large to be sent.
pub fn picture_of(width: usize, height: usize, rgb: &[u8]) -> Result<Picture, EncodeError> {
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let frame = RgbImage::from_raw(side(width), side(height), rgb.to_vec());
    let frame = frame.ok_or(EncodeError::Size {
        width,
        height,
        bytes: rgb.len(),
    })?;
    encode(&frame)
}

/// The same of a frame.
///
/// # Errors
/// [`EncodeError`] when the picture is too large to be sent.
pub fn encode(frame: &RgbImage) -> Result<Picture, EncodeError> {
    let shorter = frame.width().min(frame.height()).max(1);
    let zoom = LEAST_SIDE.div_ceil(shorter);
    let mut bytes = Vec::new();
    let mut write = |picture: &RgbImage| {
        let (width, height) = picture.dimensions();
        PngEncoder::new(&mut bytes).write_image(picture, width, height, ExtendedColorType::Rgb8)
    };
    if zoom > 1 {
        let (width, height) = (frame.width() * zoom, frame.height() * zoom);
        write(&resize(frame, width, height, FilterType::CatmullRom))?;
    } else {
        write(frame)?;
    }
    Ok(Picture::new(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_frames_are_enlarged_and_large_ones_are_not() {
        for (side, expected) in [(256, 768), (640, 640), (200, 800)] {
            let picture = encode(&RgbImage::new(side, side)).unwrap();
            let read = image::load_from_memory(picture.bytes()).unwrap();
            assert_eq!((read.width(), read.height()), (expected, expected));
        }
    }

    #[test]
    fn pixels_that_are_not_there_are_missed() {
        let error = picture_of(4, 4, &[0; 12]).unwrap_err();
        assert_eq!(error.to_string(), "expected 4 x 4 pixels, found 12 bytes");
        assert!(picture_of(2, 2, &[9; 12]).is_ok());
    }
}
