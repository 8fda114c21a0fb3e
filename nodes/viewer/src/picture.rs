//! Pictures as JPEG: a tenth of the bytes.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

/// Of 100: edges stay sharp, a picture of 256 x 256 has some 20 kB.
const QUALITY: u8 = 85;

/// The file; none where the pixels are not as many as they should be.
pub(crate) fn jpeg(width: u32, height: u32, rgb: &[u8]) -> Option<Vec<u8>> {
    if rgb.len() as u64 != 3 * u64::from(width) * u64::from(height) {
        return None;
    }
    let mut file = Vec::with_capacity(rgb.len() / 6);
    JpegEncoder::new_with_quality(&mut file, QUALITY)
        .encode(rgb, width, height, ExtendedColorType::Rgb8)
        .ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_smaller_file_and_a_torn_one_is_none() {
        let rgb = vec![90; 64 * 32 * 3];
        let file = jpeg(64, 32, &rgb).unwrap();
        assert!(file.starts_with(&[0xff, 0xd8]) && file.len() < rgb.len() / 4);
        assert_eq!(jpeg(64, 33, &rgb), None);
    }
}
