//! Masks: which pixels belong to which object.

use crate::error::GroundingError;
use crate::frame::FrameView;

/// The pixels of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    /// The object's name.
    pub object: String,
    /// Row-major pixel numbers, ascending.
    pub pixels: Vec<u32>,
}

/// Finds the objects of a frame. The same objects come in the same order every time, also when one
/// has no pixel at the moment.
pub trait Segmenter: Send {
    /// Writes the masks of the frame, one an object.
    ///
    /// # Errors
    /// [`GroundingError`] when the frame lacks what the segmenter needs.
    fn segment(
        &mut self,
        frame: &FrameView<'_>,
        masks: &mut Vec<Mask>,
    ) -> Result<(), GroundingError>;
}

/// Takes the masks from the frame's own label image, as a simulator provides it.
#[derive(Debug, Clone, Default)]
pub struct LabelSegmenter;

impl Segmenter for LabelSegmenter {
    fn segment(
        &mut self,
        frame: &FrameView<'_>,
        masks: &mut Vec<Mask>,
    ) -> Result<(), GroundingError> {
        let segmentation = frame.segmentation.ok_or(GroundingError::NoSegmentation)?;
        masks.resize(frame.labels.len(), Mask::default());
        // Which mask each of the 256 ids fills.
        let mut slots = [usize::MAX; 256];
        for (slot, ((id, name), mask)) in frame.labels.iter().zip(masks.iter_mut()).enumerate() {
            slots[usize::from(*id)] = slot;
            mask.object.clone_from(name);
            mask.pixels.clear();
        }
        for (pixel, id) in (0u32..).zip(segmentation) {
            if let Some(mask) = masks.get_mut(slots[usize::from(*id)]) {
                mask.pixels.push(pixel);
            }
        }
        Ok(())
    }
}
