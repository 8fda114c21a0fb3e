//! What the cameras show, as policy and grounding want it.

use eyre::{Result, ensure};
use tiller_grounding::FrameView;
use tiller_policy::ImageView;
use tiller_world::{CameraInfo, Channels, Frame, World, WorldError, WorldInfo};

/// The cameras of a world, and what they saw last.
pub(super) struct Views {
    labels: Vec<(u8, String)>,
    /// The camera that sees the scene in all channels, and its frame.
    scene: (&'static str, [usize; 2], Frame),
    /// Further cameras of the policy, each with its frame.
    further: Vec<(&'static str, [usize; 2], Frame)>,
    /// The policy's cameras, in its order.
    wanted: Vec<String>,
}

impl Views {
    /// The scene camera and those that the policy wants to see.
    pub(super) fn new(
        info: &WorldInfo,
        scene: &CameraInfo,
        wanted: Vec<String>,
    ) -> Result<Self> {
        let mut further = Vec::new();
        for name in wanted.iter().filter(|name| *name != scene.name) {
            let camera = info.camera(name);
            ensure!(camera.is_some(), "{} has no camera `{name}`", info.name);
            further.extend(camera.map(|c| (c.name, c.size, Frame::default())));
        }
        Ok(Self {
            labels: info.labels.clone(),
            scene: (scene.name, scene.size, Frame::default()),
            further,
            wanted,
        })
    }

    /// Looks through all cameras; the scene in all channels only if keypoints are wanted.
    pub(super) fn look(&mut self, world: &mut dyn World, ground: bool) -> Result<(), WorldError> {
        let channels = if ground {
            Channels::ALL
        } else {
            Channels::COLOUR
        };
        let (name, size, frame) = &mut self.scene;
        world.look(name, *size, channels, frame)?;
        for (name, size, frame) in &mut self.further {
            world.look(name, *size, Channels::COLOUR, frame)?;
        }
        Ok(())
    }

    /// What the policy sees.
    pub(super) fn policy(&self) -> Vec<ImageView<'_>> {
        let frame_of = |wanted: &str| {
            let mut further = self.further.iter();
            match further.find(|(name, ..)| *name == wanted) {
                Some((_, _, frame)) => frame,
                None => &self.scene.2,
            }
        };
        self.wanted
            .iter()
            .map(|name| {
                let frame = frame_of(name);
                ImageView {
                    name,
                    width: frame.width,
                    height: frame.height,
                    rgb: &frame.rgb,
                }
            })
            .collect()
    }

    /// What grounding sees; the scene must have been looked at with all channels.
    pub(super) fn scene(&self) -> FrameView<'_> {
        let frame = &self.scene.2;
        FrameView {
            width: frame.width,
            height: frame.height,
            rgb: &frame.rgb,
            depth_mm: &frame.depth_mm,
            segmentation: Some(&frame.segmentation),
            labels: &self.labels,
            focal: frame.geometry.focal,
            principal_point: frame.geometry.principal_point,
            world_from_camera: frame.geometry.world_from_camera,
            stamp_ns: frame.stamp_ns,
        }
    }

    /// The scene camera's last colour image.
    pub(super) fn scene_frame(&self) -> &Frame {
        &self.scene.2
    }
}
