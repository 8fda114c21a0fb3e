//! Camera images on their way in.

use image::RgbImage;

/// A colour image, 8 bits a channel.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    rgb: &'a [u8],
    width: u32,
    height: u32,
}

/// The bytes are not an image of that size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("image of {width} x {height}: expected {expected} bytes of RGB, found {found}")]
pub struct PictureError {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes that such an image has; 0 stands for an image without pixels, which is refused.
    pub expected: usize,
    /// Bytes that were given.
    pub found: usize,
}

impl<'a> Picture<'a> {
    /// Interleaved RGB of `height` rows of `width` pixels.
    ///
    /// # Errors
    /// [`PictureError`] when the number of bytes does not fit, or the image is empty.
    pub fn new(rgb: &'a [u8], width: u32, height: u32) -> Result<Self, PictureError> {
        let expected = 3 * width as usize * height as usize;
        if expected == 0 || rgb.len() != expected {
            return Err(PictureError {
                width,
                height,
                expected,
                found: rgb.len(),
            });
        }
        Ok(Self { rgb, width, height })
    }

    pub(crate) fn to_image(self) -> RgbImage {
        // The length was checked in `new`, so the fallback is never taken.
        RgbImage::from_raw(self.width, self.height, self.rgb.to_vec()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        assert!(Picture::new(&[0; 12], 2, 2).is_ok());
        let error = Picture::new(&[0; 11], 2, 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "image of 2 x 2: expected 12 bytes of RGB, found 11"
        );
        assert!(Picture::new(&[], 0, 2).is_err());
    }
}
