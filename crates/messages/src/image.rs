//! The metadata of an image.
//!
//! Pixels travel as a flat array, written once into shared memory and read in place; what they
//! mean travels beside them in the keys that dora's hub cameras use (`width`, `height`,
//! `encoding`, `focal`, `resolution`) and a few of our own. This crate knows no dataflow
//! runtime, so the header turns into key-value pairs here and into metadata in `node-kit`.

/// What one pixel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Three bytes: red, green, blue.
    Rgb8,
    /// Two bytes, little-endian: depth in millimetres, 0 where it is unknown.
    Mono16,
    /// One byte: a label's id.
    Mono8,
}

impl Encoding {
    /// The word in the metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Encoding::Rgb8 => "rgb8",
            Encoding::Mono16 => "mono16",
            Encoding::Mono8 => "mono8",
        }
    }

    /// The encoding of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Encoding::Rgb8, Encoding::Mono16, Encoding::Mono8]
            .into_iter()
            .find(|e| e.as_str() == name)
    }

    /// Bytes of a pixel.
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Encoding::Rgb8 => 3,
            Encoding::Mono16 => 2,
            Encoding::Mono8 => 1,
        }
    }
}

/// The name of a label in a segmentation image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Pixel value.
    pub id: u8,
    /// What it stands for, such as `drawer handle`.
    pub name: String,
}

/// What the pixels of an image mean.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageHeader {
    /// Counts from 1 on each stream; 0 from a camera that does not count.
    pub seq: u64,
    /// When it was taken, ns.
    pub stamp_ns: u64,
    /// Name of the camera's frame.
    pub frame_id: String,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// What one pixel is.
    pub encoding: Encoding,
    /// Focal lengths `[fx, fy]`, pixels.
    pub focal: [f64; 2],
    /// Principal point `[cx, cy]`, pixels (`resolution` in the hub's convention).
    pub principal_point: [f64; 2],
    /// Pose of the camera in the base frame, row-major 4 x 4; the camera's frame is OpenCV's
    /// (x right, y down, z forward).
    pub world_from_camera: [f64; 16],
    /// Names of the labels, for segmentation images.
    pub labels: Vec<Label>,
}

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderValue {
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
}

/// Why metadata is no image header, or does not fit the pixels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("image metadata `{key}`: expected {expected}, found {found}")]
pub struct HeaderError {
    /// The key.
    pub key: &'static str,
    /// What is allowed.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl ImageHeader {
    /// Bytes of the whole image.
    pub fn byte_len(&self) -> usize {
        self.width * self.height * self.encoding.bytes_per_pixel()
    }

    /// Checks that a buffer has the image's size.
    ///
    /// # Errors
    /// When it has another one.
    pub fn check_len(&self, bytes: usize) -> Result<(), HeaderError> {
        if bytes == self.byte_len() {
            return Ok(());
        }
        Err(HeaderError {
            key: "width, height, encoding",
            expected: format!(
                "{} bytes ({} x {} {})",
                self.byte_len(),
                self.width,
                self.height,
                self.encoding.as_str()
            ),
            found: bytes.to_string(),
        })
    }

    /// The metadata, as key and value.
    pub fn to_pairs(&self) -> Vec<(&'static str, HeaderValue)> {
        // Nanoseconds fit an i64 until the year 2262.
        let integer = |n: u64| HeaderValue::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        let mut pairs = vec![
            ("seq", integer(self.seq)),
            ("stamp_ns", integer(self.stamp_ns)),
            ("frame_id", HeaderValue::Text(self.frame_id.clone())),
            ("width", integer(self.width as u64)),
            ("height", integer(self.height as u64)),
            (
                "encoding",
                HeaderValue::Text(self.encoding.as_str().to_owned()),
            ),
            ("focal", HeaderValue::Numbers(self.focal.to_vec())),
            (
                "resolution",
                HeaderValue::Numbers(self.principal_point.to_vec()),
            ),
            (
                "world_from_camera",
                HeaderValue::Numbers(self.world_from_camera.to_vec()),
            ),
        ];
        if !self.labels.is_empty() {
            let texts = self
                .labels
                .iter()
                .map(|l| format!("{}={}", l.id, l.name))
                .collect();
            pairs.push(("labels", HeaderValue::Texts(texts)));
        }
        pairs
    }

    /// Reads the metadata; `lookup` gives a key's value.
    ///
    /// # Errors
    /// [`HeaderError`] for the first key that is missing or has a value that is not allowed.
    pub fn from_lookup(
        lookup: impl Fn(&'static str) -> Option<HeaderValue>,
    ) -> Result<Self, HeaderError> {
        let read = Reader { lookup: &lookup };
        let word = read.text("encoding")?;
        let encoding = Encoding::from_name(&word).ok_or_else(|| {
            error(
                "encoding",
                "`rgb8`, `mono16` or `mono8`",
                &format!("`{word}`"),
            )
        })?;
        let header = Self {
            seq: if lookup("seq").is_some() {
                read.count("seq")?
            } else {
                0
            },
            stamp_ns: read.count("stamp_ns")?,
            frame_id: read.text("frame_id")?,
            width: read.size("width")?,
            height: read.size("height")?,
            encoding,
            focal: read.numbers("focal")?,
            principal_point: read.numbers("resolution")?,
            world_from_camera: read.numbers("world_from_camera")?,
            labels: read.labels()?,
        };
        if header.focal.iter().any(|f| *f <= 0.0) {
            return Err(error(
                "focal",
                "numbers above 0",
                &format!("{:?}", header.focal),
            ));
        }
        Ok(header)
    }
}

fn error(key: &'static str, expected: &str, found: &str) -> HeaderError {
    HeaderError {
        key,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

struct Reader<'a, F> {
    lookup: &'a F,
}

impl<F: Fn(&'static str) -> Option<HeaderValue>> Reader<'_, F> {
    fn get(&self, key: &'static str, expected: &str) -> Result<HeaderValue, HeaderError> {
        (self.lookup)(key).ok_or_else(|| error(key, expected, "nothing"))
    }

    fn text(&self, key: &'static str) -> Result<String, HeaderError> {
        match self.get(key, "a text")? {
            HeaderValue::Text(text) => Ok(text),
            other => Err(error(key, "a text", &format!("{other:?}"))),
        }
    }

    fn count(&self, key: &'static str) -> Result<u64, HeaderError> {
        const EXPECTED: &str = "an integer of 0 or more";
        match self.get(key, EXPECTED)? {
            HeaderValue::Integer(n) => {
                u64::try_from(n).map_err(|_| error(key, EXPECTED, &n.to_string()))
            }
            other => Err(error(key, EXPECTED, &format!("{other:?}"))),
        }
    }

    /// A side length. The bound keeps a hostile header from overflowing `byte_len`.
    fn size(&self, key: &'static str) -> Result<usize, HeaderError> {
        let n = self.count(key)?;
        match usize::try_from(n) {
            Ok(size) if (1..=16384).contains(&size) => Ok(size),
            _ => Err(error(key, "1 to 16384", &n.to_string())),
        }
    }

    fn numbers<const N: usize>(&self, key: &'static str) -> Result<[f64; N], HeaderError> {
        let expected = format!("{N} finite numbers");
        match self.get(key, &expected)? {
            HeaderValue::Numbers(v) if v.iter().all(|x| x.is_finite()) => v
                .try_into()
                .map_err(|v: Vec<f64>| error(key, &expected, &format!("{} numbers", v.len()))),
            other => Err(error(key, &expected, &format!("{other:?}"))),
        }
    }

    fn labels(&self) -> Result<Vec<Label>, HeaderError> {
        const EXPECTED: &str = "texts such as `1=drawer handle`";
        match (self.lookup)("labels") {
            None => Ok(Vec::new()),
            Some(HeaderValue::Texts(texts)) => texts
                .iter()
                .map(|text| {
                    let (id, name) = text.split_once('=')?;
                    Some(Label {
                        id: id.parse().ok()?,
                        name: name.to_owned(),
                    })
                })
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| error("labels", EXPECTED, &format!("{texts:?}"))),
            Some(other) => Err(error("labels", EXPECTED, &format!("{other:?}"))),
        }
    }
}
