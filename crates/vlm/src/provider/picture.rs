//! Pictures for a model.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Most bytes of a picture: services take some 5 MB in base64.
const MAX_BYTES: usize = 3_500_000;

/// Why bytes are no picture for a model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Neither PNG nor JPEG.
    #[error("the picture is neither PNG nor JPEG: it begins with {found}")]
    Format {
        /// The first bytes.
        found: String,
    },
    /// Too large to be sent.
    #[error("the picture has {bytes} bytes, expected at most {MAX_BYTES}; make it smaller")]
    Size {
        /// Its bytes.
        bytes: usize,
    },
}

/// A PNG or JPEG picture; cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    bytes: Arc<[u8]>,
    media_type: &'static str,
}

impl Picture {
    /// Takes an encoded picture.
    ///
    /// # Errors
    /// [`PictureError`] if it is neither PNG nor JPEG, or too large to be sent.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Result<Self, PictureError> {
        let bytes = bytes.into();
        let media_type = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            "image/png"
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            "image/jpeg"
        } else {
            let found = format!("{:02x?}", &bytes[..bytes.len().min(4)]);
            return Err(PictureError::Format { found });
        };
        if bytes.len() > MAX_BYTES {
            return Err(PictureError::Size { bytes: bytes.len() });
        }
        Ok(Self { bytes, media_type })
    }

    /// The encoded bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `image/png` or `image/jpeg`.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// `png` or `jpg`.
    pub(crate) fn extension(&self) -> &'static str {
        if self.media_type == "image/png" {
            "png"
        } else {
            "jpg"
        }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Picture({}, {} bytes)",
            self.media_type,
            self.bytes.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_png_and_jpeg_of_a_sendable_size() {
        let png = Picture::new(b"\x89PNG\r\n\x1a\nrest".to_vec()).unwrap();
        assert_eq!((png.media_type(), png.extension()), ("image/png", "png"));
        let jpeg = Picture::new(vec![0xff, 0xd8, 0xff, 0xe0]).unwrap();
        assert_eq!((jpeg.media_type(), jpeg.extension()), ("image/jpeg", "jpg"));
        let error = Picture::new(b"<svg>".to_vec()).unwrap_err();
        assert!(
            error.to_string().contains("neither PNG nor JPEG"),
            "{error}"
        );
        let mut large = vec![0; MAX_BYTES + 1];
        large[..3].copy_from_slice(b"\xff\xd8\xff");
        assert!(matches!(
            Picture::new(large),
            Err(PictureError::Size { .. })
        ));
    }
}
