//! An image on the wire: an Arrow stream whose pixels the sender writes where they are read.
//!
//! dora hands out shared memory but writes only byte arrays into it in place; other types are
//! copied there. All images of one size have the same stream around their pixels, so that it is
//! made once by dora's own encoder and copied around the pixels of every image.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt8Array, UInt16Array};
use dora_node_api::arrow_utils::{IpcPayload, decode_arrow_ipc_zero_copy, encode_arrow_ipc};
use dora_node_api::{DataSample, DoraArray, SampleAllocator};
use eyre::{OptionExt, Result, WrapErr, eyre};

/// Sizes of images that a node sends; more would be one that changes with every image.
const KEPT: usize = 16;

/// What pixels are sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// `UInt8`.
    Byte,
    /// `UInt16`.
    Word,
}

/// The streams around images, by size.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    known: Vec<Frame>,
}

#[derive(Debug)]
struct Frame {
    unit: Unit,
    count: usize,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Frames {
    /// A message of `count` units whose pixels `write` writes in place, little-endian. The memory
    /// may hold anything before.
    pub(crate) fn fill(
        &mut self,
        memory: &SampleAllocator,
        (unit, count): (Unit, usize),
        write: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<DataSample> {
        let frame = self.frame(unit, count)?;
        let (head, pixels) = (frame.head.len(), count * unit.bytes());
        let mut sample = memory.allocate(head + pixels + frame.tail.len())?;
        sample[..head].copy_from_slice(&frame.head);
        sample[head + pixels..].copy_from_slice(&frame.tail);
        write(&mut sample[head..head + pixels])?;
        Ok(sample)
    }

    fn frame(&mut self, unit: Unit, count: usize) -> Result<&Frame> {
        let known = self
            .known
            .iter()
            .position(|f| (f.unit, f.count) == (unit, count));
        let index = match known {
            Some(index) => index,
            None => {
                if self.known.len() == KEPT {
                    self.known.remove(0);
                }
                self.known.push(Frame::around(unit, count)?);
                self.known.len() - 1
            }
        };
        Ok(&self.known[index])
    }
}

impl Frame {
    fn around(unit: Unit, count: usize) -> Result<Self> {
        let pixels: ArrayRef = match unit {
            Unit::Byte => Arc::new(UInt8Array::from(vec![0; count])),
            Unit::Word => Arc::new(UInt16Array::from(vec![0; count])),
        };
        let stream =
            encode_arrow_ipc(&DoraArray::from(pixels)).wrap_err("cannot lay out an image")?;
        let payload = IpcPayload::from_vec(stream);
        // Read in place, the array tells where in the stream its pixels lie.
        let read =
            decode_arrow_ipc_zero_copy(payload.clone()).wrap_err("cannot lay out an image")?;
        let data = read.as_array().to_data();
        let start = data
            .buffers()
            .first()
            .ok_or_eyre("an image without pixels")?
            .as_ptr() as usize;
        let (stream, bytes) = (payload.as_slice(), count * unit.bytes());
        let offset = start.wrapping_sub(stream.as_ptr() as usize);
        let end = offset.checked_add(bytes).filter(|end| *end <= stream.len());
        let end = end.ok_or_else(|| eyre!("an image of {count} pixels cannot be read in place"))?;
        Ok(Self {
            unit,
            count,
            head: stream[..offset].to_vec(),
            tail: stream[end..].to_vec(),
        })
    }
}

impl Unit {
    fn bytes(self) -> usize {
        match self {
            Unit::Byte => 1,
            Unit::Word => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(frames: &mut Frames, unit: Unit, pixels: &[u8]) -> DoraArray {
        let size = (unit, pixels.len() / unit.bytes());
        let fill = |buffer: &mut [u8]| {
            buffer.copy_from_slice(pixels);
            Ok(())
        };
        let sample = frames.fill(&SampleAllocator::heap(), size, fill).unwrap();
        // Memory of dora is aligned; so must this copy be.
        let mut words = vec![0_u64; sample.len().div_ceil(8)];
        let bytes = bytemuck::cast_slice_mut::<u64, u8>(&mut words);
        bytes[..sample.len()].copy_from_slice(&sample);
        let payload = IpcPayload::from_slice(&bytes[..sample.len()]);
        decode_arrow_ipc_zero_copy(payload).unwrap()
    }

    #[test]
    fn what_is_written_in_place_is_read_as_an_array_of_its_type() {
        let mut frames = Frames::default();
        for count in [0, 1, 3, 64, 8191, 65536, 65537] {
            let bytes: Vec<u8> = (0..count).map(|i| (i % 251) as u8).collect();
            let array = sent(&mut frames, Unit::Byte, &bytes);
            let read = array.as_array().as_any().downcast_ref::<UInt8Array>();
            assert_eq!(read.unwrap().values(), bytes.as_slice());
            let words: Vec<u16> = (0..count).map(|i| (i * 7) as u16).collect();
            let array = sent(&mut frames, Unit::Word, bytemuck::cast_slice(&words));
            let read = array.as_array().as_any().downcast_ref::<UInt16Array>();
            assert_eq!(read.unwrap().values(), words.as_slice());
            assert_eq!(array.null_count(), 0);
        }
    }

    #[test]
    fn layouts_of_ever_new_sizes_are_forgotten() {
        let mut frames = Frames::default();
        for count in 1..40 {
            sent(&mut frames, Unit::Byte, &vec![7; count]);
        }
        assert_eq!(frames.known.len(), KEPT);
    }

    #[test]
    fn a_writer_that_fails_sends_nothing() {
        let mut frames = Frames::default();
        let size = (Unit::Byte, 4);
        let failed = frames.fill(&SampleAllocator::heap(), size, |_| Err(eyre!("no light")));
        assert!(failed.is_err());
    }
}
