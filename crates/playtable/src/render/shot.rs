//! What a camera of the table saw, before it is painted.

use std::sync::Arc;

use mujoco_rs::mujoco_c::mjtObj;
use mujoco_rs::prelude::{MjModel, MjvCamera, MjvOption, MjvPerturb, MjvScene};
use tiller_offscreen::{Painter, RenderError};
use tiller_world::{CameraGeometry, Channels, Frame, Shot, Studio, WorldError};

use crate::camera::Camera;
use crate::kind::NAME;
use crate::world::PlayTable;

/// Largest width and height: the scene's off-screen buffer.
pub(crate) const SIDE_LIMIT: usize = 1024;
/// Room in MuJoCo's list of things to draw; the scene has about fifty.
const MAX_GEOMS: usize = 500;
/// Colour of the lamp when lit.
const LAMP_LIT: [f32; 4] = [0.35, 1.0, 0.35, 1.0];

/// Everything that is drawn, where it was, and from where it was seen.
pub(crate) struct TableShot {
    things: MjvScene,
    /// Textures, meshes and the range of depths.
    model: Arc<MjModel>,
    labels: Arc<[u8]>,
    size: [usize; 2],
    channels: Channels,
    geometry: CameraGeometry,
    stamp_ns: u64,
}

impl TableShot {
    /// Nothing yet, of a table.
    pub(crate) fn of(table: &PlayTable) -> Self {
        let model = Arc::clone(table.pristine());
        Self {
            things: MjvScene::new(&model, MAX_GEOMS),
            model,
            labels: Arc::clone(table.geom_labels()),
            size: [0; 2],
            channels: Channels::COLOUR,
            geometry: CameraGeometry::default(),
            stamp_ns: 0,
        }
    }

    /// Whether it is of that table.
    pub(crate) fn is_of(&self, table: &PlayTable) -> bool {
        Arc::ptr_eq(&self.model, table.pristine())
    }

    /// Takes what a camera sees now.
    pub(crate) fn take(
        &mut self,
        table: &mut PlayTable,
        camera: Camera,
        size: [usize; 2],
        channels: Channels,
    ) {
        self.size = size;
        self.channels = channels;
        self.geometry = table.camera_geometry(camera, size[0], size[1]);
        self.stamp_ns = table.time_ns();
        let mut view = MjvCamera::new_fixed(table.camera_id(camera));
        let (options, perturbation) = (MjvOption::default(), MjvPerturb::default());
        self.things
            .update(table.data_mut(), &options, &perturbation, &mut view);
        let (lamp, lit) = table.lamp();
        let patterns = table.patterns();
        if !lit && patterns.is_empty() {
            return;
        }
        // SAFETY: only colours and indices of materials that the model has are written.
        for geom in unsafe { self.things.geoms_mut() } {
            let Ok(id) = usize::try_from(geom.objid) else {
                continue;
            };
            if geom.objtype != mjtObj::mjOBJ_GEOM as i32 {
                continue;
            }
            if lit && id == lamp {
                geom.rgba = LAMP_LIT;
                geom.emission = 0.6;
            }
            if let Some((_, material)) = patterns.iter().find(|(worn, _)| *worn == id) {
                geom.matid = *material as i32;
            }
        }
    }

    /// Paints it into a frame, whose buffers are reused.
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
            painter.segmentation(&mut self.things, &self.labels, frame)?;
        }
        Ok(())
    }
}

/// For images of that size.
///
/// # Errors
/// As [`Painter::new`].
pub(super) fn painter(model: &Arc<MjModel>, size: [usize; 2]) -> Result<Painter, RenderError> {
    Painter::new(model, size, [SIDE_LIMIT; 2])
}

impl Shot for TableShot {
    fn draw(&mut self, studio: &mut Studio, frame: &mut Frame) -> Result<(), WorldError> {
        let (model, size) = (&self.model, self.size);
        let painter = studio
            .tool(
                |painter: &Painter| painter.fits(model, size),
                || painter(model, size),
            )
            .map_err(WorldError::failed(NAME, "cannot start the renderer"))?;
        self.paint(painter, frame)
            .map_err(WorldError::failed(NAME, "cannot render"))
    }
}
