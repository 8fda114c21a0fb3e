//! Pixels of other encodings turned into red-green-blue bytes and millimetres.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::{ColorType, ImageDecoder, Limits};
use tiller_messages::{ImageHeader, MAX_PIXELS};

use super::ImageError;

/// Memory that reading one file may take, bytes: the largest image with 8 bytes a pixel.
const MAX_FILE_MEMORY: u64 = 8 * MAX_PIXELS as u64;

/// `bgr8` to `rgb8`.
pub(super) fn swap_red_and_blue(bgr: &[u8], rgb: &mut Vec<u8>) {
    rgb.resize(bgr.len(), 0);
    for (to, from) in rgb.chunks_exact_mut(3).zip(bgr.chunks_exact(3)) {
        to.copy_from_slice(&[from[2], from[1], from[0]]);
    }
}

/// Two bytes a number.
pub(super) fn little_endian(bytes: &[u8], words: &mut Vec<u16>) {
    words.clear();
    let pairs = bytes.chunks_exact(2);
    words.extend(pairs.map(|b| u16::from_le_bytes([b[0], b[1]])));
}

/// Metres to millimetres; what no `u16` holds is unknown.
pub(super) fn millimetres(metres: &[f32], mm: &mut Vec<u16>) {
    mm.clear();
    mm.extend(metres.iter().map(|m| in_millimetres(*m)));
}

/// As [`millimetres`], of little-endian floats.
pub(super) fn millimetres_of_bytes(bytes: &[u8], mm: &mut Vec<u16>) {
    mm.clear();
    let floats = bytes.chunks_exact(4);
    mm.extend(floats.map(|b| in_millimetres(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))));
}

fn in_millimetres(metres: f32) -> u16 {
    let mm = (metres * 1e3).round();
    // Not a number fails the comparison as well.
    if mm > 0.0 && mm <= f32::from(u16::MAX) {
        mm as u16
    } else {
        0
    }
}

/// A JPEG file to `rgb8`.
pub(super) fn jpeg(header: &ImageHeader, file: &[u8], rgb: &mut Vec<u8>) -> Result<(), ImageError> {
    // The decoder fills up what is missing with grey. Cameras pad files with zeros.
    let end = file.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    if !(file.starts_with(&[0xff, 0xd8])
        && file[..=end.min(file.len() - 1)].ends_with(&[0xff, 0xd9]))
    {
        return Err(damaged(
            header,
            "a whole file from its first marker to its last",
            "a part",
        ));
    }
    let mut decoder =
        JpegDecoder::new(Cursor::new(file)).map_err(|error| unreadable(header, &error))?;
    check_size(header, decoder.dimensions())?;
    decoder
        .set_limits(limits())
        .map_err(|error| unreadable(header, &error))?;
    let pixels = header.pixels();
    rgb.resize(3 * pixels, 0);
    match decoder.color_type() {
        ColorType::Rgb8 => decoder
            .read_image(rgb)
            .map_err(|error| unreadable(header, &error)),
        ColorType::L8 => {
            let grey = &mut rgb[..pixels];
            decoder
                .read_image(grey)
                .map_err(|error| unreadable(header, &error))?;
            for pixel in (0..pixels).rev() {
                let value = rgb[pixel];
                rgb[3 * pixel..3 * pixel + 3].fill(value);
            }
            Ok(())
        }
        other => Err(damaged(header, "8 bits a channel", &format!("{other:?}"))),
    }
}

/// A PNG file whose head has been read.
pub(super) struct Png<'a> {
    header: &'a ImageHeader,
    decoder: PngDecoder<Cursor<&'a [u8]>>,
    kind: PngKind,
}

/// What a PNG file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PngKind {
    /// Red, green, blue, perhaps with opacity.
    Colour,
    /// 8 bits of grey.
    Labels,
    /// 16 bits of grey.
    Depth,
}

impl<'a> Png<'a> {
    pub(super) fn open(header: &'a ImageHeader, file: &'a [u8]) -> Result<Self, ImageError> {
        let decoder = PngDecoder::with_limits(Cursor::new(file), limits())
            .map_err(|error| unreadable(header, &error))?;
        check_size(header, decoder.dimensions())?;
        let kind = match decoder.color_type() {
            ColorType::Rgb8 | ColorType::Rgba8 => PngKind::Colour,
            ColorType::L8 => PngKind::Labels,
            ColorType::L16 => PngKind::Depth,
            other => {
                let expected = "colour of 8 bits, or grey of 8 or 16 bits";
                return Err(damaged(header, expected, &format!("{other:?}")));
            }
        };
        Ok(Self {
            header,
            decoder,
            kind,
        })
    }

    pub(super) fn kind(&self) -> PngKind {
        self.kind
    }

    /// Red, green and blue; opacity is left out.
    pub(super) fn read_colour(self, rgb: &mut Vec<u8>) -> Result<(), ImageError> {
        let pixels = self.header.pixels();
        let opacity = self.decoder.color_type() == ColorType::Rgba8;
        self.read_bytes(rgb)?;
        if opacity {
            for pixel in 0..pixels {
                rgb.copy_within(4 * pixel..4 * pixel + 3, 3 * pixel);
            }
            rgb.truncate(3 * pixels);
        }
        Ok(())
    }

    pub(super) fn read_bytes(self, bytes: &mut Vec<u8>) -> Result<(), ImageError> {
        let channels = usize::from(self.decoder.color_type().channel_count());
        bytes.resize(self.header.pixels() * channels, 0);
        self.decoder
            .read_image(bytes)
            .map_err(|error| unreadable(self.header, &error))
    }

    pub(super) fn read_words(self, words: &mut Vec<u16>) -> Result<(), ImageError> {
        words.resize(self.header.pixels(), 0);
        self.decoder
            .read_image(bytemuck::cast_slice_mut(words))
            .map_err(|error| unreadable(self.header, &error))
    }
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_FILE_MEMORY);
    limits
}

/// The metadata has been bounded already; a file must say the same before it is decoded.
fn check_size(header: &ImageHeader, (width, height): (u32, u32)) -> Result<(), ImageError> {
    if (width as usize, height as usize) == (header.width, header.height) {
        return Ok(());
    }
    let expected = format!("{} x {} as the metadata says", header.width, header.height);
    Err(damaged(header, &expected, &format!("{width} x {height}")))
}

fn unreadable(header: &ImageHeader, error: &image::ImageError) -> ImageError {
    let found: String = error.to_string().chars().take(160).collect();
    damaged(header, "a file that can be read", &found)
}

fn damaged(header: &ImageHeader, expected: &str, found: &str) -> ImageError {
    ImageError::File {
        encoding: header.encoding.as_str(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
