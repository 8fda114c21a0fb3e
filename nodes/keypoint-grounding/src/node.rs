//! The node's loop.

use eyre::{Result, WrapErr};
use tiller_grounding::{Grounder, GroundingError, Keypoint, annotate};
use tiller_messages::{Encoding, ImageHeader, Keypoints};
use tiller_node_kit::{ImageInput, Inbox, Input, Next, Outbox};

use crate::assemble::{Assembler, Complete, Part};
use crate::config::Settings;

/// Without images there is nothing to see.
pub(crate) const ESSENTIAL: &[&str] = &["image", "depth", "segmentation"];

/// Runs until the images end.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let mut node = Node {
        grounder: Grounder::new(settings.grounding.clone())?,
        assembler: Assembler::default(),
        max_empty_frames: settings.max_empty_frames,
        empty_frames: 0,
        sent: 0,
    };
    loop {
        match inbox.wait() {
            Next::Input(input) => node.take(input, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                tracing::debug!(
                    "images without counterparts: {}",
                    node.assembler.incomplete()
                );
                return Ok(());
            }
        }
    }
}

struct Node {
    grounder: Grounder,
    assembler: Assembler,
    max_empty_frames: u32,
    empty_frames: u32,
    sent: u64,
}

impl Node {
    fn take(&mut self, input: Input, outbox: &mut Outbox) -> Result<()> {
        let part = match input.id.as_str() {
            "image" => Part::Colour,
            "depth" => Part::Depth,
            "segmentation" => Part::Labels,
            other => {
                tracing::warn!("input `{other}` is unknown");
                return Ok(());
            }
        };
        let image = ImageInput::read(&input.metadata, input.data)
            .wrap_err_with(|| format!("cannot read input `{}`", input.id))?;
        match self.assembler.add(part, image) {
            Some(frame) => self.see(&frame, outbox),
            None => Ok(()),
        }
    }

    fn see(&mut self, frame: &Complete, outbox: &mut Outbox) -> Result<()> {
        let grounder = &mut self.grounder;
        if grounder.generation() == 0 {
            let found = frame.view(|view| grounder.ground(view).map(<[Keypoint]>::len))?;
            match found {
                Ok(count) => tracing::info!("{count} keypoints"),
                Err(error @ GroundingError::NothingFound { .. }) => {
                    self.empty_frames += 1;
                    if self.empty_frames < self.max_empty_frames {
                        tracing::debug!("{error}");
                        return Ok(());
                    }
                    return Err(error).wrap_err_with(|| {
                        format!("nothing to steer by in {} frames", self.empty_frames)
                    });
                }
                Err(error) => return Err(error.into()),
            }
            for skipped in grounder.skipped() {
                tracing::info!("no keypoint on the {}: {}", skipped.object, skipped.reason);
            }
            self.send_annotated(frame, outbox)?;
        } else {
            frame.view(|view| grounder.track(view).map(|_| ()))??;
        }
        self.send_keypoints(frame.colour().header().stamp_ns, outbox)
    }

    fn send_annotated(&self, frame: &Complete, outbox: &mut Outbox) -> Result<()> {
        let picture = frame.view(|view| annotate(view, self.grounder.keypoints()))??;
        let source = frame.colour().header();
        // The scene is enlarged by a whole number and stands in the upper left corner.
        let zoom = (picture.height() as usize / source.height).max(1) as f64;
        let header = ImageHeader {
            seq: u64::from(self.grounder.generation()),
            width: picture.width() as usize,
            height: picture.height() as usize,
            encoding: Encoding::Rgb8,
            focal: source.focal.map(|focal| focal.map(|f| f * zoom)),
            principal_point: source.principal_point.map(|point| point.map(|c| c * zoom)),
            labels: Vec::new(),
            ..source.clone()
        };
        outbox.send_image("annotated_image", &header, picture.as_raw())
    }

    fn send_keypoints(&mut self, stamp_ns: u64, outbox: &mut Outbox) -> Result<()> {
        self.sent += 1;
        let keypoints = self.grounder.keypoints();
        let message = Keypoints {
            seq: self.sent,
            stamp_ns,
            generation: self.grounder.generation(),
            names: keypoints.iter().map(|k| k.name.clone()).collect(),
            xyz_m: keypoints.iter().flat_map(|k| k.position_m).collect(),
            visible: keypoints.iter().map(|k| k.visible).collect(),
        };
        outbox.send("keypoints", &message)
    }
}

#[cfg(test)]
mod tests;
