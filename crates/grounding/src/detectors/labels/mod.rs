//! Objects from the frame's own label image, as a simulator or a segmentation node provides it.

use crate::config::GroundingConfig;
use crate::detector::{Detector, Mask, Needs};
use crate::error::GroundingError;
use crate::frame::Scene;
use crate::tracker::Tracker;

pub(super) fn detector(_: &GroundingConfig) -> Result<Box<dyn Detector>, GroundingError> {
    Ok(Box::new(Labels))
}

/// Detects by labels, and follows by the labels of every frame.
#[derive(Debug, Clone, Copy)]
struct Labels;

impl Detector for Labels {
    fn needs(&self) -> Needs {
        Needs {
            segmentation: true,
            depth: false,
        }
    }

    fn detect(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        masks.resize(scene.frame.labels.len(), Mask::default());
        for (mask, (_, name)) in masks.iter_mut().zip(scene.frame.labels) {
            mask.object.clone_from(name);
        }
        read(scene, masks)
    }

    fn tracker(&self) -> Box<dyn Tracker> {
        Box::new(*self)
    }
}

impl Tracker for Labels {
    fn start(&mut self, _: &Scene<'_>, _: &[Mask]) {}

    fn follow(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        read(scene, masks)
    }
}

/// Fills each mask with the pixels that bear its name.
fn read(scene: &Scene<'_>, masks: &mut [Mask]) -> Result<(), GroundingError> {
    let segmentation = scene
        .frame
        .segmentation
        .ok_or(GroundingError::NoSegmentation)?;
    // Which mask each of the 256 ids fills.
    let mut slots = [usize::MAX; 256];
    for (id, name) in scene.frame.labels {
        let slot = masks.iter().position(|mask| mask.object == *name);
        slots[usize::from(*id)] = slot.unwrap_or(usize::MAX);
    }
    masks.iter_mut().for_each(|mask| mask.pixels.clear());
    for (pixel, id) in (0u32..).zip(segmentation) {
        if let Some(mask) = masks.get_mut(slots[usize::from(*id)]) {
            mask.pixels.push(pixel);
        }
    }
    Ok(())
}
