//! What a camera sees at one moment.

use tiller_core::file::read_regular;
use tiller_grounding::Geometry;
use tiller_messages::MAX_PIXELS;

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageReader, Limits};

/// Largest file with a picture that is read, bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// Longest side of a picture, pixels.
const MAX_SIDE: u32 = 16_384;

/// A frame, whose buffers are filled again and again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Frame {
    /// When it was taken, ns of this machine's monotonic clock.
    pub(crate) stamp_ns: u64,
    /// Width and height, pixels.
    pub(crate) size: [usize; 2],
    /// Colour, `[height x width x 3]`, red first.
    pub(crate) rgb: Vec<u8>,
    /// Depth, `[height x width]`, mm, 0 where it is unknown; empty from a camera that measures none.
    pub(crate) depth_mm: Vec<u16>,
    /// What the source itself knows of the camera.
    pub(crate) geometry: Geometry,
}

impl Frame {
    /// Takes colour of this size over from a decoder.
    ///
    /// # Errors
    /// What was expected and found, where there are more pixels than a message may have, or none.
    pub(crate) fn set_size(&mut self, width: usize, height: usize) -> Result<(), String> {
        if width == 0 || height == 0 || width.saturating_mul(height) > MAX_PIXELS {
            return Err(format!(
                "expected 1 to {MAX_PIXELS} pixels, found {width} x {height}"
            ));
        }
        self.size = [width, height];
        Ok(())
    }

    /// Takes the picture of a PNG or JPEG file.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn read_colour(&mut self, path: &Path) -> Result<(), String> {
        let bytes = read_regular(path, MAX_FILE_BYTES).map_err(|error| error.to_string())?;
        self.decode_colour(&bytes)
            .map_err(|reason| format!("{}: {reason}", path.display()))
    }

    /// Takes the picture that a file's bytes hold.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn decode_colour(&mut self, bytes: &[u8]) -> Result<(), String> {
        let picture = decode(bytes)?.into_rgb8();
        self.set_size(picture.width() as usize, picture.height() as usize)?;
        self.rgb = picture.into_raw();
        Ok(())
    }

    /// Takes depth in millimetres from a PNG file with 16 bits of grey; colour was taken before.
    ///
    /// # Errors
    /// Why it is none, or of another size than the colour.
    pub(crate) fn read_depth(&mut self, path: &Path) -> Result<(), String> {
        let bytes = read_regular(path, MAX_FILE_BYTES).map_err(|error| error.to_string())?;
        let fault = |reason: String| format!("{}: {reason}", path.display());
        let DynamicImage::ImageLuma16(depth) = decode(&bytes).map_err(fault)? else {
            let expected = "expected 16 bits of grey, mm, found a picture of another kind";
            return Err(fault(expected.to_owned()));
        };
        let ([width, height], [w, h]) = (self.size, [depth.width(), depth.height()]);
        if [width, height] != [w as usize, h as usize] {
            return Err(fault(format!(
                "expected the size of its picture, {width} x {height}, found {w} x {h}"
            )));
        }
        self.depth_mm = depth.into_raw();
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    reader.limits(limits);
    reader.decode().map_err(|error| error.to_string())
}
