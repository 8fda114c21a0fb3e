//! Images as they arrive: metadata checked, pixels read in place.

use std::borrow::Cow;

use arrow::array::{Array, UInt8Array, UInt16Array};
use dora_node_api::{DoraArray, Metadata, MetadataParameters, Parameter};
use eyre::{ContextCompat, Result, bail};
use tiller_messages::{Encoding, HeaderValue, ImageHeader};

/// A received image. Cloning shares the pixels.
#[derive(Debug, Clone)]
pub struct ImageInput {
    header: ImageHeader,
    pixels: DoraArray,
}

impl ImageInput {
    /// Takes an input, if its metadata and size are those of an image.
    ///
    /// # Errors
    /// When a metadata key is missing or wrong, or the data is of another type or size.
    pub fn read(metadata: &Metadata, data: DoraArray) -> Result<Self> {
        let header = ImageHeader::from_lookup(|key| value(&metadata.parameters, key))?;
        let array = data.as_array();
        let bytes = if let Some(bytes) = array.as_any().downcast_ref::<UInt8Array>() {
            bytes.len()
        } else if let Some(words) = array.as_any().downcast_ref::<UInt16Array>() {
            words.len() * 2
        } else {
            bail!(
                "image data: expected UInt8 or UInt16, found {}",
                array.data_type()
            );
        };
        header.check_len(bytes)?;
        Ok(Self {
            header,
            pixels: data,
        })
    }

    /// What the pixels mean.
    pub fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// The pixels of an image with 8 bits a channel, in place.
    ///
    /// # Errors
    /// When the image has another encoding.
    pub fn bytes(&self, expected: Encoding) -> Result<&[u8]> {
        self.expect(expected)?;
        let array = self.pixels.as_array().as_any().downcast_ref::<UInt8Array>();
        let array = array.wrap_err("image data: expected UInt8, found UInt16")?;
        Ok(array.values())
    }

    /// Depth in millimetres, in place where the sender wrote `UInt16`.
    ///
    /// # Errors
    /// When the image has another encoding.
    pub fn depth_mm(&self) -> Result<Cow<'_, [u16]>> {
        self.expect(Encoding::Mono16)?;
        let array = self.pixels.as_array().as_any();
        if let Some(words) = array.downcast_ref::<UInt16Array>() {
            return Ok(Cow::Borrowed(words.values()));
        }
        let bytes = array
            .downcast_ref::<UInt8Array>()
            .wrap_err("image data: no depth")?;
        let words = bytes
            .values()
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]));
        Ok(Cow::Owned(words.collect()))
    }

    fn expect(&self, expected: Encoding) -> Result<()> {
        let found = self.header.encoding;
        if found != expected {
            bail!(
                "image encoding: expected {}, found {}",
                expected.as_str(),
                found.as_str()
            );
        }
        Ok(())
    }
}

/// A metadata value in the header's terms. Hub cameras write `focal` as integers.
fn value(parameters: &MetadataParameters, key: &str) -> Option<HeaderValue> {
    match parameters.get(key)? {
        Parameter::Integer(n) => Some(HeaderValue::Integer(*n)),
        Parameter::String(text) => Some(HeaderValue::Text(text.clone())),
        Parameter::ListFloat(numbers) => Some(HeaderValue::Numbers(numbers.clone())),
        Parameter::ListInt(numbers) => Some(HeaderValue::Numbers(
            numbers.iter().map(|n| *n as f64).collect(),
        )),
        Parameter::ListString(texts) => Some(HeaderValue::Texts(texts.clone())),
        Parameter::Bool(_) | Parameter::Float(_) | Parameter::Timestamp(_) => None,
    }
}

/// The metadata of an image.
pub(crate) fn parameters(header: &ImageHeader) -> MetadataParameters {
    let pairs = header.to_pairs().into_iter().map(|(key, value)| {
        let parameter = match value {
            HeaderValue::Integer(n) => Parameter::Integer(n),
            HeaderValue::Text(text) => Parameter::String(text),
            HeaderValue::Numbers(numbers) => Parameter::ListFloat(numbers),
            HeaderValue::Texts(texts) => Parameter::ListString(texts),
        };
        (key.to_owned(), parameter)
    });
    pairs.collect()
}
