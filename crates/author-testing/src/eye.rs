//! A world's first camera, and the keypoints in its pictures.

use tiller_grounding::{FrameView, Grounder, GroundingConfig, Keypoint};
use tiller_world::{CameraInfo, Channels, Frame, World};

use crate::FollowError;

/// The camera's picture, and what is grounded in it.
pub(crate) struct Eye {
    camera: CameraInfo,
    pub(crate) frame: Frame,
    grounder: Grounder,
    /// Grounding goes by depth and labels: it needs no colours.
    grey: Vec<u8>,
    labels: Vec<(u8, String)>,
}

impl Eye {
    pub(crate) fn new(world: &dyn World) -> Result<Self, FollowError> {
        let info = world.info();
        let camera = info.cameras.first().ok_or("the world has no camera")?;
        let config = GroundingConfig {
            ignored: info
                .without_keypoints
                .iter()
                .map(ToString::to_string)
                .collect(),
            counts: info
                .keypoint_counts
                .iter()
                .map(|(name, count)| (name.to_string(), *count))
                .collect(),
            ..GroundingConfig::default()
        };
        Ok(Self {
            camera: camera.clone(),
            frame: Frame::default(),
            grounder: Grounder::new(config)?,
            grey: vec![0; 3 * camera.size[0] * camera.size[1]],
            labels: info.labels.clone(),
        })
    }

    pub(crate) fn look(&mut self, world: &mut dyn World) -> Result<&[Keypoint], FollowError> {
        let channels = Channels {
            colour: false,
            ..Channels::ALL
        };
        let CameraInfo { name, size, .. } = self.camera;
        world.look(name, size, channels, &mut self.frame)?;
        let view = FrameView {
            rgb: &self.grey,
            ..view(&self.frame, &self.labels)
        };
        let keypoints = if self.grounder.generation() == 0 {
            self.grounder.ground(&view)?
        } else {
            self.grounder.track(&view)?
        };
        Ok(keypoints)
    }
}

/// A frame with all channels as grounding wants it.
#[must_use]
pub fn view<'a>(frame: &'a Frame, labels: &'a [(u8, String)]) -> FrameView<'a> {
    FrameView {
        width: frame.width,
        height: frame.height,
        rgb: &frame.rgb,
        depth_mm: Some(&frame.depth_mm),
        segmentation: Some(&frame.segmentation),
        labels,
        focal: frame.geometry.focal,
        principal_point: frame.geometry.principal_point,
        world_from_camera: frame.geometry.world_from_camera,
        stamp_ns: frame.stamp_ns,
    }
}
