//! The cameras as policy and grounding want them.

use tiller_grounding::FrameView;
use tiller_policy::ImageView;
use tiller_world::{CameraInfo, Channels, Frame, World, WorldError, WorldInfo};

/// The world's cameras and what they saw last.
pub(super) struct Eyes {
    /// The one in which keypoints are found comes first.
    cameras: Vec<(CameraInfo, Frame)>,
    labels: Vec<(u8, String)>,
    /// What the policy sees instead of what there is to see.
    frozen: Option<Vec<Frame>>,
}

impl Eyes {
    pub(super) fn new(info: &WorldInfo) -> Self {
        let cameras = info.cameras.iter().cloned();
        Self {
            cameras: cameras.map(|camera| (camera, Frame::default())).collect(),
            labels: info.labels.clone(),
            frozen: None,
        }
    }

    /// The first camera and those of these names alone.
    pub(super) fn only(mut self, names: &[String]) -> Self {
        let mut index = 0;
        self.cameras.retain(|(camera, _)| {
            index += 1;
            index == 1 || names.iter().any(|name| name == camera.name)
        });
        self
    }

    /// Looks through the first camera.
    pub(super) fn look(
        &mut self,
        world: &mut dyn World,
        channels: Channels,
    ) -> Result<(), WorldError> {
        let first = self.cameras.first_mut().into_iter();
        look(world, first, channels)
    }

    /// Looks through all others, in colour.
    pub(super) fn look_elsewhere(&mut self, world: &mut dyn World) -> Result<(), WorldError> {
        look(world, self.cameras.iter_mut().skip(1), Channels::COLOUR)
    }

    /// From now on the policy sees what was seen last.
    pub(super) fn freeze(&mut self) {
        let frames = self.cameras.iter().map(|(_, frame)| frame.clone());
        self.frozen.get_or_insert_with(|| frames.collect());
    }

    /// From now on the policy sees what there is to see.
    pub(super) fn open(&mut self) {
        self.frozen = None;
    }

    /// What the policy sees.
    pub(super) fn policy_images(&self) -> Vec<ImageView<'_>> {
        let frames: Vec<&Frame> = match &self.frozen {
            Some(frozen) => frozen.iter().collect(),
            None => self.cameras.iter().map(|(_, frame)| frame).collect(),
        };
        let views = self.cameras.iter().zip(frames);
        let views = views.map(|((camera, _), frame)| ImageView {
            name: camera.name,
            width: frame.width,
            height: frame.height,
            rgb: &frame.rgb,
        });
        views.collect()
    }

    /// What the first camera saw last.
    pub(super) fn first(&self) -> Option<&Frame> {
        self.cameras.first().map(|(_, frame)| frame)
    }

    /// What grounding sees; the first camera must have looked with all channels.
    pub(super) fn scene(&self) -> Option<FrameView<'_>> {
        let frame = self.first()?;
        Some(FrameView {
            width: frame.width,
            height: frame.height,
            rgb: &frame.rgb,
            depth_mm: (!frame.depth_mm.is_empty()).then_some(&frame.depth_mm[..]),
            segmentation: (!frame.segmentation.is_empty()).then_some(&frame.segmentation[..]),
            labels: &self.labels,
            focal: frame.geometry.focal,
            principal_point: frame.geometry.principal_point,
            world_from_camera: frame.geometry.world_from_camera,
            stamp_ns: frame.stamp_ns,
        })
    }
}

fn look<'a>(
    world: &mut dyn World,
    cameras: impl Iterator<Item = &'a mut (CameraInfo, Frame)>,
    channels: Channels,
) -> Result<(), WorldError> {
    for (camera, frame) in cameras {
        world.look(camera.name, camera.size, channels, frame)?;
    }
    Ok(())
}
