//! What a camera of a task saw, before it is painted.

use std::sync::Arc;

use mujoco_rs::mujoco_c::mjtRndFlag;
use mujoco_rs::prelude::{MjModel, MjvCamera, MjvOption, MjvPerturb, MjvScene};
use tiller_offscreen::{RenderError, Still, coarsen};
use tiller_world::{Channels, Frame, Shot, Studio, WorldError};

use crate::kind::NAME;
use crate::native::Native;

/// Largest columns and rows: the off-screen buffer of the package's scenes.
pub(crate) const LIMIT: [usize; 2] = [640, 480];
/// Room in `MuJoCo`'s list of things to draw, as the package has it.
const MAX_GEOMS: usize = 1000;
/// The group of geoms that collide: the package does not draw them.
const COLLISION_GROUP: usize = 0;

/// How far surfaces may move for fewer faces, m: a pixel of 256 shows some 3 mm of the table.
const COARSE_M: f64 = 2e-4;

/// How pictures look. Depths and labels are those of the same places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// Without reflections, shadows and smoothed edges, and with faces left out of meshes as long as no surface moves by
    /// more than 0.2 mm: the stove is darker, and a picture takes a fifth of the time.
    #[default]
    Plain,
    /// As the official environment draws them.
    Official,
}

/// What is painted alike in all pictures of a task: textures, meshes, labels, the look.
#[derive(Clone)]
pub(crate) struct Painted {
    model: Arc<MjModel>,
    labels: Arc<[u8]>,
    look: Look,
}

impl Painted {
    pub(crate) fn new(task: &Native, look: Look) -> Self {
        let mut model = task.data().model().clone();
        if look == Look::Plain {
            // A painter takes samples for a smooth edge and pixels of shadows from the model.
            let quality = &mut model.vis_mut().quality;
            [quality.offsamples, quality.shadowsize] = [0, 0];
            coarsen(&mut model, COARSE_M);
        }
        Self {
            model: Arc::new(model),
            labels: task.geom_labels().into(),
            look,
        }
    }

    fn things(&self) -> MjvScene {
        let mut things = MjvScene::new(&self.model, MAX_GEOMS);
        if self.look == Look::Plain {
            let flags = things.flags_mut();
            for flag in [mjtRndFlag::mjRND_REFLECTION, mjtRndFlag::mjRND_SHADOW] {
                flags[flag as usize] = 0;
            }
        }
        things
    }
}

/// A still of a task.
pub(crate) struct PackShot {
    pub(crate) still: Still,
    options: MjvOption,
}

impl PackShot {
    /// Nothing yet.
    pub(crate) fn new(painted: &Painted) -> Self {
        let mut options = MjvOption::default();
        options.geomgroup[COLLISION_GROUP] = 0;
        let mut still = Still::new(&painted.model, &painted.labels, LIMIT, painted.things());
        // Without sites: they are no things, and where one is invisible it would hide what is behind it.
        still.labelled = Some(painted.things());
        Self { still, options }
    }

    /// Whether it is of that task and look.
    pub(crate) fn is_of(&self, painted: &Painted) -> bool {
        self.still.is_of(&painted.model)
    }

    /// Takes what one of the pack's cameras, by its place among them, sees now.
    ///
    /// # Errors
    /// [`RenderError::Camera`] for a camera that the pack has not.
    pub(crate) fn take(
        &mut self,
        task: &mut Native,
        camera: usize,
        size: [usize; 2],
        channels: Channels,
    ) -> Result<(), RenderError> {
        let still = &mut self.still;
        still.geometry = task
            .camera_geometry(camera, size)
            .ok_or(RenderError::Camera(camera))?;
        still.stamp_ns = task.time_ns();
        still.size = size;
        still.channels = channels;
        task.light_sites();
        let mut view = MjvCamera::new_fixed(task.camera_id(camera));
        let unmoved = MjvPerturb::default();
        if channels.colour || channels.depth {
            still
                .things
                .update(task.data_mut(), &self.options, &unmoved, &mut view);
        }
        if let Some(labelled) = still.labelled.as_mut().filter(|_| channels.segmentation) {
            let mut options = self.options.clone();
            options.sitegroup.fill(0);
            labelled.update(task.data_mut(), &options, &unmoved, &mut view);
        }
        Ok(())
    }
}

impl Shot for PackShot {
    fn draw(&mut self, studio: &mut Studio, frame: &mut Frame) -> Result<(), WorldError> {
        self.still.draw(NAME, studio, frame)
    }
}
