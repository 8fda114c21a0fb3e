//! Colour, depth and labels of the same moment.

use eyre::{OptionExt, Result};
use tiller_grounding::FrameView;
use tiller_node_kit::ImageInput;

/// Waits for the three images of one stamp. What arrives of a newer moment replaces what was
/// incomplete of an older one.
#[derive(Default)]
pub(crate) struct Assembler {
    colour: Option<ImageInput>,
    depth: Option<ImageInput>,
    labels: Option<ImageInput>,
    incomplete: u64,
}

/// Three images of one moment; cloning shares the pixels.
pub(crate) struct Complete {
    colour: ImageInput,
    depth: ImageInput,
    labels: ImageInput,
}

/// Which of the images one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Colour,
    Depth,
    Labels,
}

impl Assembler {
    /// Takes an image; gives the frame that it completes.
    pub(crate) fn add(&mut self, part: Part, image: ImageInput) -> Option<Complete> {
        let stamp_ns = image.header().stamp_ns;
        for slot in [&mut self.colour, &mut self.depth, &mut self.labels] {
            if slot
                .as_ref()
                .is_some_and(|other| other.header().stamp_ns < stamp_ns)
            {
                *slot = None;
                self.incomplete += 1;
            }
        }
        let slot = match part {
            Part::Colour => &mut self.colour,
            Part::Depth => &mut self.depth,
            Part::Labels => &mut self.labels,
        };
        *slot = Some(image);
        let same = |slot: &Option<ImageInput>| {
            slot.as_ref()
                .is_some_and(|image| image.header().stamp_ns == stamp_ns)
        };
        if !(same(&self.colour) && same(&self.depth) && same(&self.labels)) {
            return None;
        }
        Some(Complete {
            colour: self.colour.take()?,
            depth: self.depth.take()?,
            labels: self.labels.take()?,
        })
    }

    /// Images whose counterparts never came.
    pub(crate) fn incomplete(&self) -> u64 {
        self.incomplete
    }
}

impl Complete {
    /// The colour image, whose header speaks for all.
    pub(crate) fn colour(&self) -> &ImageInput {
        &self.colour
    }

    /// Calls `read` with the frame; its pixels are those that arrived, in place.
    pub(crate) fn view<T>(&self, read: impl FnOnce(&FrameView<'_>) -> T) -> Result<T> {
        let header = self.colour.header();
        let depth_mm = self.depth.depth_mm()?;
        let names: Vec<_> = self
            .labels
            .header()
            .labels
            .iter()
            .map(|l| (l.id, l.name.clone()))
            .collect();
        Ok(read(&FrameView {
            width: header.width,
            height: header.height,
            rgb: self.colour.rgb()?,
            depth_mm,
            segmentation: Some(self.labels.labels()?),
            labels: &names,
            focal: header
                .focal
                .ok_or_eyre("the camera does not say its focal length")?,
            principal_point: header
                .principal_point
                .ok_or_eyre("the camera does not say its principal point")?,
            world_from_camera: header
                .world_from_camera
                .ok_or_eyre("the camera does not say where it is")?,
            stamp_ns: header.stamp_ns,
        }))
    }
}
