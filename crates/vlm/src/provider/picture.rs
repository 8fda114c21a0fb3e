//! Pictures for a model.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;
use tiller_core::file::read_regular;

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
    /// Not a file that can be read, or too large to be sent.
    #[error("the picture cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with the file, without its path.
        reason: String,
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

    /// Reads an encoded picture from a regular file.
    ///
    /// # Errors
    /// [`PictureError`] if it cannot be read, is neither PNG nor JPEG, or too large to be sent.
    pub fn read(path: &Path) -> Result<Self, PictureError> {
        let bytes = read_regular(path, MAX_BYTES as u64).map_err(|error| {
            let reason = error.reason();
            PictureError::Unreadable { reason }
        })?;
        Self::new(bytes)
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

    #[test]
    fn a_picture_is_a_regular_file_of_a_sendable_size() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picture");
        std::fs::write(&file, b"\xff\xd8\xff\xe0").unwrap();
        assert_eq!(Picture::read(&file).unwrap().media_type(), "image/jpeg");
        std::fs::write(&file, vec![0; MAX_BYTES + 1]).unwrap();
        for (path, expected) in [
            (file.as_path(), "3500001 bytes or more, expected at most"),
            (Path::new("/dev/zero"), "not a regular file but a device"),
            (folder.path(), "not a regular file but a folder"),
            (Path::new("/nowhere/picture"), "No such file"),
        ] {
            let error = Picture::read(path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
