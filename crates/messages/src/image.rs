//! The metadata of an image.
//!
//! Pixels travel as a flat array, written once into shared memory and read in place; what they
//! mean travels beside them in the keys that dora's hub cameras use (`width`, `height`,
//! `encoding`, `focal` or `focal_length`, `resolution`, `timestamp`) and a few of our own. This
//! crate knows no dataflow runtime, so the header turns into key-value pairs here and into
//! metadata in `node-kit`.

mod metadata;

pub use metadata::{HeaderError, HeaderValue, SentAt};

/// Most pixels of an image, 8192 x 4096: 100 MB of colour.
pub const MAX_PIXELS: usize = 8192 * 4096;

/// How pixels are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Three bytes: red, green, blue.
    #[default]
    Rgb8,
    /// Three bytes: blue, green, red.
    Bgr8,
    /// A JPEG file.
    Jpeg,
    /// A PNG file: colour, 16 bits of depth in millimetres, or 8 bits of label ids.
    Png,
    /// One byte: a label's id.
    Mono8,
    /// 16 bits, little-endian: depth in millimetres, 0 where it is unknown; also called `16UC1`.
    Mono16,
    /// 32-bit floats: depth in metres; 0, negative or not finite where it is unknown.
    Depth32F,
}

/// Each encoding with the words that it goes by, our own first.
const WORDS: [(Encoding, &[&str]); 7] = [
    (Encoding::Rgb8, &["rgb8"]),
    (Encoding::Bgr8, &["bgr8"]),
    (Encoding::Jpeg, &["jpeg", "jpg", "jpe"]),
    (Encoding::Png, &["png"]),
    (Encoding::Mono8, &["mono8", "8UC1"]),
    (Encoding::Mono16, &["mono16", "16UC1"]),
    (Encoding::Depth32F, &["32FC1"]),
];

impl Encoding {
    /// The word in the metadata.
    pub fn as_str(self) -> &'static str {
        let words = WORDS.iter().find(|(encoding, _)| *encoding == self);
        words.map_or("", |(_, words)| words[0])
    }

    /// The encoding of a word, in any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(name));
        let found = WORDS.iter().find(|(_, words)| named(words));
        found.map(|(encoding, _)| *encoding)
    }

    /// Bytes of a pixel; none where the image is a file of its own.
    pub fn bytes_per_pixel(self) -> Option<usize> {
        match self {
            Encoding::Rgb8 | Encoding::Bgr8 => Some(3),
            Encoding::Jpeg | Encoding::Png => None,
            Encoding::Mono8 => Some(1),
            Encoding::Mono16 => Some(2),
            Encoding::Depth32F => Some(4),
        }
    }
}

/// The name of a label in a segmentation image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Pixel value.
    pub id: u8,
    /// What it stands for, such as `red mug`.
    pub name: String,
}

/// What the pixels of an image mean. What a camera does not know of itself, a calibration file
/// may.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageHeader {
    /// Counts from 1 on each stream; 0 from a camera that does not count.
    pub seq: u64,
    /// When it was taken, ns.
    pub stamp_ns: u64,
    /// Name of the camera's frame; empty from a camera that does not say.
    pub frame_id: String,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// How the pixels are written.
    pub encoding: Encoding,
    /// Focal lengths `[fx, fy]`, pixels.
    pub focal: Option<[f64; 2]>,
    /// Principal point `[cx, cy]`, pixels (`resolution` in the hub's convention).
    pub principal_point: Option<[f64; 2]>,
    /// Pose of the camera in the base frame, row-major 4 x 4; the camera's frame is OpenCV's
    /// (x right, y down, z forward).
    pub world_from_camera: Option<[f64; 16]>,
    /// Names of the labels, for segmentation images.
    pub labels: Vec<Label>,
}

impl ImageHeader {
    /// Pixels of the whole image.
    pub fn pixels(&self) -> usize {
        self.width * self.height
    }

    /// Bytes of the whole image; none where it is a file of its own.
    pub fn byte_len(&self) -> Option<usize> {
        let pixel = self.encoding.bytes_per_pixel()?;
        Some(self.pixels() * pixel)
    }

    /// Checks that a buffer has the image's size. A file of its own may have any.
    ///
    /// # Errors
    /// When it has another one.
    pub fn check_len(&self, bytes: usize) -> Result<(), HeaderError> {
        let Some(expected) = self.byte_len().filter(|expected| *expected != bytes) else {
            return Ok(());
        };
        let ImageHeader { width, height, .. } = self;
        let word = self.encoding.as_str();
        Err(HeaderError {
            key: "width, height, encoding",
            expected: format!("{expected} bytes ({width} x {height} {word})"),
            found: bytes.to_string(),
        })
    }
}
