//! Frames as pictures that a model takes.

use eyre::{Result, WrapErr, eyre};
use image::codecs::png::PngEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use tiller_node_kit::ImageInput;
use tiller_vlm::provider::Picture;

/// Shorter side that a model's picture has at least, pixels.
const LEAST_SIDE: u32 = 640;

/// The pixels of a frame.
pub(crate) fn frame(image: &ImageInput) -> Result<RgbImage> {
    let header = image.header();
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let bytes = image.rgb()?.to_vec();
    RgbImage::from_raw(side(header.width), side(header.height), bytes)
        .ok_or_else(|| eyre!("the frame's size and pixels do not agree"))
}

/// A PNG of the frame, enlarged so that a model can make something of it.
pub(crate) fn encode(frame: &RgbImage) -> Result<Picture> {
    let shorter = frame.width().min(frame.height()).max(1);
    let zoom = LEAST_SIDE.div_ceil(shorter);
    let mut bytes = Vec::new();
    let mut write = |picture: &RgbImage| {
        let (width, height) = picture.dimensions();
        PngEncoder::new(&mut bytes)
            .write_image(picture, width, height, ExtendedColorType::Rgb8)
            .wrap_err("cannot encode a picture")
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
}
