//! The cameras as policy and grounding want them.

use tiller_grounding::FrameView;
use tiller_policy::ImageView;
use tiller_world::{CameraInfo, Channels, Frame, Shot, Studio, World, WorldError, WorldInfo};

/// A camera and what it saw last.
struct Eye {
    camera: CameraInfo,
    frame: Frame,
    shot: Option<Box<dyn Shot>>,
    /// Whether the frame is older than the shot.
    waits: bool,
}

impl Eye {
    /// Looks; what it sees is drawn by [`Self::draw`], in worlds that can wait for that.
    fn look(&mut self, world: &mut dyn World, channels: Channels) -> Result<(), WorldError> {
        let (name, size) = (self.camera.name, self.camera.size);
        match world.shoot(name, size, channels, self.shot.take()) {
            Some(shot) => {
                self.shot = Some(shot?);
                self.waits = true;
                Ok(())
            }
            None => world.look(name, size, channels, &mut self.frame),
        }
    }

    fn draw(&mut self, studio: &mut Studio) -> Result<(), WorldError> {
        if let Some(shot) = self.shot.as_mut().filter(|_| self.waits) {
            shot.draw(studio, &mut self.frame)?;
        }
        self.waits = false;
        Ok(())
    }
}

/// The world's cameras and what they saw last.
pub(super) struct Eyes {
    /// The one in which keypoints are found comes first.
    eyes: Vec<Eye>,
    studio: Studio,
    labels: Vec<(u8, String)>,
    /// What the policy sees instead of what there is to see.
    frozen: Option<Vec<Frame>>,
}

impl Eyes {
    pub(super) fn new(info: &WorldInfo) -> Self {
        let eyes = info.cameras.iter().map(|camera| Eye {
            camera: camera.clone(),
            frame: Frame::default(),
            shot: None,
            waits: false,
        });
        Self {
            eyes: eyes.collect(),
            studio: Studio::default(),
            labels: info.labels.clone(),
            frozen: None,
        }
    }

    /// The first camera and those of these names alone.
    pub(super) fn only(mut self, names: &[String]) -> Self {
        let mut index = 0;
        self.eyes.retain(|eye| {
            index += 1;
            index == 1 || names.iter().any(|name| name == eye.camera.name)
        });
        self
    }

    /// Looks through the first camera.
    pub(super) fn look(
        &mut self,
        world: &mut dyn World,
        channels: Channels,
    ) -> Result<(), WorldError> {
        let Some(first) = self.eyes.first_mut() else {
            return Ok(());
        };
        first.look(world, channels)?;
        first.draw(&mut self.studio)
    }

    /// Looks through all others, in colour; see [`Self::draw`].
    pub(super) fn look_elsewhere(&mut self, world: &mut dyn World) -> Result<(), WorldError> {
        let mut others = self.eyes.iter_mut().skip(1);
        others.try_for_each(|eye| eye.look(world, Channels::COLOUR))
    }

    /// Draws what is not drawn yet: what is seen between two plans is never shown to most policies.
    pub(super) fn draw(&mut self) -> Result<(), WorldError> {
        let mut eyes = self.eyes.iter_mut().filter(|_| self.frozen.is_none());
        eyes.try_for_each(|eye| eye.draw(&mut self.studio))
    }

    /// From now on the policy sees what was seen last.
    ///
    /// # Errors
    /// As [`Self::draw`].
    pub(super) fn freeze(&mut self) -> Result<(), WorldError> {
        self.draw()?;
        let frames = self.eyes.iter().map(|eye| eye.frame.clone());
        self.frozen.get_or_insert_with(|| frames.collect());
        Ok(())
    }

    /// From now on the policy sees what there is to see.
    pub(super) fn open(&mut self) {
        self.frozen = None;
    }

    /// What the policy sees, as of the last [`Self::draw`].
    pub(super) fn policy_images(&self) -> Vec<ImageView<'_>> {
        let frames: Vec<&Frame> = match &self.frozen {
            Some(frozen) => frozen.iter().collect(),
            None => self.eyes.iter().map(|eye| &eye.frame).collect(),
        };
        let views = self.eyes.iter().zip(frames);
        let views = views.map(|(eye, frame)| ImageView {
            name: eye.camera.name,
            width: frame.width,
            height: frame.height,
            rgb: &frame.rgb,
        });
        views.collect()
    }

    /// What the first camera saw last.
    pub(super) fn first(&self) -> Option<&Frame> {
        self.eyes.first().map(|eye| &eye.frame)
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
