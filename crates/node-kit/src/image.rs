//! Images as they arrive: metadata checked, pixels read in place or converted once.

mod decode;
mod metadata;
mod pool;
mod wire;

use std::sync::Arc;

use arrow::array::{Array, Float32Array, UInt8Array, UInt16Array};
use dora_node_api::{DoraArray, Metadata};
use tiller_core::{RobotClock, StampFilter};
use tiller_messages::{Encoding, HeaderError, ImageHeader};

pub(crate) use metadata::parameters;
pub use metadata::robot_clock_ns;
use pool::Pool;
pub(crate) use wire::{Frames, Unit};

/// Why an image is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The metadata, or the size that it gives.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The data is of another type than the encoding asks for.
    #[error("image data of `{encoding}`: expected {expected}, found {found}")]
    Data {
        /// The encoding in the metadata.
        encoding: &'static str,
        /// Arrow types that carry it.
        expected: &'static str,
        /// What arrived.
        found: String,
    },
    /// A file that is damaged, or does not hold what the metadata says.
    #[error("{encoding} image: expected {expected}, found {found}")]
    File {
        /// The encoding in the metadata.
        encoding: &'static str,
        /// What is allowed.
        expected: String,
        /// What arrived.
        found: String,
    },
    /// A sound image of another kind than the reader wants.
    #[error("image: expected {expected}, found `{found}`")]
    Kind {
        /// The encodings of the kind that is wanted.
        expected: &'static str,
        /// The encoding that arrived.
        found: &'static str,
    },
}

/// Reads the images of one input.
///
/// `rgb8`, `mono8` and depth as `UInt16` stay where they arrived. `bgr8`, `jpeg`, `png`, `32FC1`
/// and depth as bytes are converted once, into buffers that are used again as soon as nobody
/// holds an image that lies in them.
#[derive(Debug, Default)]
pub struct ImageReader {
    bytes: Pool<u8>,
    words: Pool<u16>,
    /// The last file: a picture that is sent again for who joins late is not decoded again.
    last: Option<DecodedFile>,
    clock: RobotClock,
    /// Of what the clock is learnt from: one wrong stamp would stand for a minute.
    stamps: StampFilter,
}

/// A file and what it holds.
#[derive(Debug)]
struct DecodedFile {
    bytes: Vec<u8>,
    encoding: Encoding,
    size: [usize; 2],
    pixels: Pixels,
}

impl DecodedFile {
    fn is(&self, header: &ImageHeader, bytes: &[u8]) -> bool {
        (self.encoding, self.size) == (header.encoding, [header.width, header.height])
            && self.bytes == bytes
    }
}

/// A received image. Cloning shares the pixels.
#[derive(Debug, Clone)]
pub struct ImageInput {
    header: ImageHeader,
    pixels: Pixels,
}

#[derive(Debug, Clone)]
enum Pixels {
    Colour(Bytes),
    Labels(Bytes),
    Depth(Words),
}

#[derive(Debug, Clone)]
enum Bytes {
    InPlace(UInt8Array),
    Converted(Arc<Vec<u8>>),
}

#[derive(Debug, Clone)]
enum Words {
    InPlace(UInt16Array),
    Converted(Arc<Vec<u16>>),
}

impl ImageReader {
    /// A reader without buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns of the robot's clock from a message of the robot's machine with this stamp, ns: by that clock frames are
    /// stamped whose camera does not stamp them, or in time since 1970.
    pub fn learn_clock(&mut self, stamp_ns: u64, metadata: &Metadata) {
        if self.stamps.accept(stamp_ns) {
            self.clock.observe(stamp_ns, metadata::sent_ns(metadata));
        }
    }

    /// Takes an input, if its metadata and data are those of an image.
    ///
    /// # Errors
    /// [`ImageError`] with what was expected and what was found; the next image is read as if this
    /// one had not come.
    pub fn read(
        &mut self,
        metadata: &Metadata,
        data: &DoraArray,
    ) -> Result<ImageInput, ImageError> {
        let header = metadata::header(metadata, &self.clock)?;
        let pixels = self.pixels(&header, data)?;
        Ok(ImageInput { header, pixels })
    }

    fn pixels(&mut self, header: &ImageHeader, data: &DoraArray) -> Result<Pixels, ImageError> {
        let array = Arrived::new(header.encoding, data)?;
        Ok(match header.encoding {
            Encoding::Rgb8 => Pixels::Colour(Bytes::InPlace(array.bytes(header)?.clone())),
            Encoding::Mono8 => Pixels::Labels(Bytes::InPlace(array.bytes(header)?.clone())),
            Encoding::Bgr8 => {
                let bgr = array.bytes(header)?.values();
                let rgb = self.bytes.fill(|rgb| decode::swap_red_and_blue(bgr, rgb));
                Pixels::Colour(Bytes::Converted(rgb))
            }
            Encoding::Mono16 => match array {
                Arrived::Words(words) => {
                    header.check_len(words.len() * 2)?;
                    Pixels::Depth(Words::InPlace(words.clone()))
                }
                _ => {
                    let bytes = array.bytes(header)?.values();
                    let depth = self.words.fill(|mm| decode::little_endian(bytes, mm));
                    Pixels::Depth(Words::Converted(depth))
                }
            },
            Encoding::Depth32F => {
                let depth = match array {
                    Arrived::Floats(metres) => {
                        header.check_len(metres.len() * 4)?;
                        let metres = metres.values();
                        self.words.fill(|mm| decode::millimetres(metres, mm))
                    }
                    _ => {
                        let bytes = array.bytes(header)?.values();
                        self.words
                            .fill(|mm| decode::millimetres_of_bytes(bytes, mm))
                    }
                };
                Pixels::Depth(Words::Converted(depth))
            }
            Encoding::Jpeg | Encoding::Png => self.file(header, array.bytes(header)?.values())?,
        })
    }

    fn file(&mut self, header: &ImageHeader, file: &[u8]) -> Result<Pixels, ImageError> {
        if let Some(last) = &self.last
            && last.is(header, file)
        {
            return Ok(last.pixels.clone());
        }
        // Its buffers are used again.
        let mut bytes = self.last.take().map_or_else(Vec::new, |last| last.bytes);
        let pixels = match header.encoding {
            Encoding::Png => self.png(header, file)?,
            _ => {
                let rgb = self.bytes.try_fill(|rgb| decode::jpeg(header, file, rgb))?;
                Pixels::Colour(Bytes::Converted(rgb))
            }
        };
        bytes.clear();
        bytes.extend_from_slice(file);
        self.last = Some(DecodedFile {
            bytes,
            encoding: header.encoding,
            size: [header.width, header.height],
            pixels: pixels.clone(),
        });
        Ok(pixels)
    }

    /// What a PNG file holds follows from its pixels.
    fn png(&mut self, header: &ImageHeader, file: &[u8]) -> Result<Pixels, ImageError> {
        let file = decode::Png::open(header, file)?;
        Ok(match file.kind() {
            decode::PngKind::Colour => {
                let rgb = self.bytes.try_fill(|rgb| file.read_colour(rgb))?;
                Pixels::Colour(Bytes::Converted(rgb))
            }
            decode::PngKind::Labels => {
                let ids = self.bytes.try_fill(|ids| file.read_bytes(ids))?;
                Pixels::Labels(Bytes::Converted(ids))
            }
            decode::PngKind::Depth => {
                let depth = self.words.try_fill(|mm| file.read_words(mm))?;
                Pixels::Depth(Words::Converted(depth))
            }
        })
    }
}

/// The data of an image: flat, of a type that its encoding can have, without gaps.
enum Arrived<'a> {
    Bytes(&'a UInt8Array),
    Words(&'a UInt16Array),
    Floats(&'a Float32Array),
}

impl<'a> Arrived<'a> {
    fn new(encoding: Encoding, data: &'a DoraArray) -> Result<Self, ImageError> {
        let array = data.as_array();
        let any = array.as_any();
        let (bytes, words, floats) = (any.downcast_ref(), any.downcast_ref(), any.downcast_ref());
        let (found, expected) = match encoding {
            Encoding::Mono16 => (
                bytes.map(Arrived::Bytes).or(words.map(Arrived::Words)),
                "UInt16 or UInt8 without nulls",
            ),
            Encoding::Depth32F => (
                bytes.map(Arrived::Bytes).or(floats.map(Arrived::Floats)),
                "Float32 or UInt8 without nulls",
            ),
            _ => (bytes.map(Arrived::Bytes), "UInt8 without nulls"),
        };
        let found = found.filter(|_| array.null_count() == 0);
        found.ok_or_else(|| ImageError::Data {
            encoding: encoding.as_str(),
            expected,
            found: match array.null_count() {
                0 => array.data_type().to_string().chars().take(60).collect(),
                nulls => format!("{} with {nulls} nulls", array.data_type()),
            },
        })
    }

    /// Bytes of the size that the header gives.
    fn bytes(&self, header: &ImageHeader) -> Result<&'a UInt8Array, ImageError> {
        let Arrived::Bytes(bytes) = self else {
            return Err(ImageError::Kind {
                expected: "bytes",
                found: header.encoding.as_str(),
            });
        };
        header.check_len(bytes.len())?;
        Ok(bytes)
    }
}

impl ImageInput {
    /// Reads one image; [`ImageReader`] reads many without new buffers.
    ///
    /// # Errors
    /// As [`ImageReader::read`].
    pub fn read(metadata: &Metadata, data: DoraArray) -> Result<Self, ImageError> {
        ImageReader::new().read(metadata, &data)
    }

    /// What the pixels mean; the encoding is the one in which they arrived.
    pub fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// Changes what is known of the pixels, such as the camera's place; their size stays.
    pub fn complete(&mut self, change: impl FnOnce(&mut ImageHeader)) {
        let ImageHeader {
            width,
            height,
            encoding,
            ..
        } = self.header;
        change(&mut self.header);
        (self.header.width, self.header.height) = (width, height);
        self.header.encoding = encoding;
    }

    /// Colour, `[height x width x 3]`, red first.
    ///
    /// # Errors
    /// When the image shows no colour.
    pub fn rgb(&self) -> Result<&[u8], ImageError> {
        match &self.pixels {
            Pixels::Colour(bytes) => Ok(bytes.as_slice()),
            _ => Err(self.unwanted("`rgb8`, `bgr8`, `jpeg` or a `png` in colour")),
        }
    }

    /// Depth, `[height x width]`, mm; 0 where it is unknown.
    ///
    /// # Errors
    /// When the image shows no depth.
    pub fn depth_mm(&self) -> Result<&[u16], ImageError> {
        match &self.pixels {
            Pixels::Depth(Words::InPlace(words)) => Ok(words.values()),
            Pixels::Depth(Words::Converted(words)) => Ok(words),
            _ => Err(self.unwanted("`mono16`, `16UC1`, `32FC1` or a `png` with 16 bits of grey")),
        }
    }

    /// Label ids, `[height x width]`.
    ///
    /// # Errors
    /// When the image shows no labels.
    pub fn labels(&self) -> Result<&[u8], ImageError> {
        match &self.pixels {
            Pixels::Labels(bytes) => Ok(bytes.as_slice()),
            _ => Err(self.unwanted("`mono8` or a `png` with 8 bits of grey")),
        }
    }

    /// A number that changes with the pixels and is never 0: what a [`FrameStamp`] wants.
    ///
    /// [`FrameStamp`]: crate::FrameStamp
    pub fn fingerprint(&self) -> u64 {
        let bytes = match &self.pixels {
            Pixels::Colour(bytes) | Pixels::Labels(bytes) => bytes.as_slice(),
            Pixels::Depth(Words::InPlace(words)) => bytemuck::cast_slice(words.values()),
            Pixels::Depth(Words::Converted(words)) => bytemuck::cast_slice(words),
        };
        fingerprint(bytes)
    }

    fn unwanted(&self, expected: &'static str) -> ImageError {
        ImageError::Kind {
            expected,
            found: self.header.encoding.as_str(),
        }
    }
}

/// A number that changes with the bytes and is never 0; the same in every run.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let rest = rest.iter().map(|byte| u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    // Firefox's hash: a word a multiplication.
    let mix =
        |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    words.chain(rest).fold(0, mix).max(1)
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::InPlace(array) => array.values(),
            Bytes::Converted(bytes) => bytes,
        }
    }
}
