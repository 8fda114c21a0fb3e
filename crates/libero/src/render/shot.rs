//! What a camera of a task saw, before it is painted.

use std::sync::Arc;

use mujoco_rs::mujoco_c::mjtRndFlag;
use mujoco_rs::prelude::{MjModel, MjvCamera, MjvOption, MjvPerturb, MjvScene};
use tiller_offscreen::{Painter, RenderError, coarsen};
use tiller_world::{CameraGeometry, Channels, Frame, Shot, Studio, WorldError};

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

    /// For images of that size.
    ///
    /// # Errors
    /// As [`Painter::new`].
    pub(crate) fn painter(&self, size: [usize; 2]) -> Result<Painter, RenderError> {
        Painter::new(&self.model, size, LIMIT)
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

/// Everything that is drawn, where it was, and from where it was seen.
pub(crate) struct PackShot {
    painted: Painted,
    things: MjvScene,
    /// The same without sites: they are no things, and where one is invisible it would hide what is behind it.
    labelled: MjvScene,
    options: MjvOption,
    size: [usize; 2],
    channels: Channels,
    /// Where the camera was.
    pub(crate) geometry: CameraGeometry,
    stamp_ns: u64,
}

impl PackShot {
    /// Nothing yet.
    pub(crate) fn new(painted: &Painted) -> Self {
        let mut options = MjvOption::default();
        options.geomgroup[COLLISION_GROUP] = 0;
        Self {
            things: painted.things(),
            labelled: painted.things(),
            painted: painted.clone(),
            options,
            size: [0; 2],
            channels: Channels::COLOUR,
            geometry: CameraGeometry::default(),
            stamp_ns: 0,
        }
    }

    /// Whether it is of that task and look.
    pub(crate) fn is_of(&self, painted: &Painted) -> bool {
        Arc::ptr_eq(&self.painted.model, &painted.model)
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
        self.geometry = task
            .camera_geometry(camera, size)
            .ok_or(RenderError::Camera(camera))?;
        self.stamp_ns = task.time_ns();
        self.size = size;
        self.channels = channels;
        task.light_sites();
        let mut view = MjvCamera::new_fixed(task.camera_id(camera));
        let still = MjvPerturb::default();
        if channels.colour || channels.depth {
            self.things
                .update(task.data_mut(), &self.options, &still, &mut view);
        }
        if channels.segmentation {
            let mut options = self.options.clone();
            options.sitegroup.fill(0);
            self.labelled
                .update(task.data_mut(), &options, &still, &mut view);
        }
        Ok(())
    }

    /// Paints it into a frame, whose buffers are reused. Rows count from the top.
    ///
    /// # Errors
    /// When the graphics context is lost.
    pub(crate) fn paint(
        &mut self,
        painter: &mut Painter,
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        let channels = self.channels;
        painter.begin(channels, frame)?;
        frame.geometry = self.geometry;
        frame.stamp_ns = self.stamp_ns;
        if channels.colour || channels.depth {
            painter.colour_and_depth(&mut self.things, frame)?;
        }
        if channels.segmentation {
            painter.segmentation(&mut self.labelled, &self.painted.labels, frame)?;
        }
        Ok(())
    }
}

impl Shot for PackShot {
    fn draw(&mut self, studio: &mut Studio, frame: &mut Frame) -> Result<(), WorldError> {
        let (painted, size) = (&self.painted, self.size);
        let painter = studio
            .tool(
                |painter: &Painter| painter.fits(&painted.model, size),
                || painted.painter(size),
            )
            .map_err(WorldError::failed(NAME, "cannot start the renderer"))?;
        self.paint(painter, frame)
            .map_err(WorldError::failed(NAME, "cannot render"))
    }
}
