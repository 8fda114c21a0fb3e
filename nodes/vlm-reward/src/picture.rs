//! Frames out of messages.

use eyre::{Result, eyre};
use image::RgbImage;
use tiller_node_kit::ImageInput;

/// The pixels of a frame.
pub(crate) fn frame(image: &ImageInput) -> Result<RgbImage> {
    let header = image.header();
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let bytes = image.rgb()?.to_vec();
    RgbImage::from_raw(side(header.width), side(header.height), bytes)
        .ok_or_else(|| eyre!("the frame's size and pixels do not agree"))
}
