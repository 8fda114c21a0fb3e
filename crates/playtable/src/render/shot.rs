//! What a camera of the table saw, before it is painted.

use mujoco_rs::mujoco_c::mjtObj;
use mujoco_rs::prelude::{MjvCamera, MjvOption, MjvPerturb, MjvScene};
use tiller_offscreen::Still;
use tiller_world::{Channels, Frame, Shot, Studio, WorldError};

use crate::camera::Camera;
use crate::kind::NAME;
use crate::world::PlayTable;

/// Largest width and height: the scene's off-screen buffer.
pub(crate) const SIDE_LIMIT: usize = 1024;
/// Room in MuJoCo's list of things to draw; the scene has about fifty.
const MAX_GEOMS: usize = 500;
/// Colour of the lamp when lit.
const LAMP_LIT: [f32; 4] = [0.35, 1.0, 0.35, 1.0];

/// A still of the table.
pub(crate) struct TableShot(pub(super) Still);

impl TableShot {
    /// Nothing yet, of a table.
    pub(crate) fn of(table: &PlayTable) -> Self {
        let model = table.pristine();
        let things = MjvScene::new(model, MAX_GEOMS);
        Self(Still::new(
            model,
            table.geom_labels(),
            [SIDE_LIMIT; 2],
            things,
        ))
    }

    /// Whether it is of that table.
    pub(crate) fn is_of(&self, table: &PlayTable) -> bool {
        self.0.is_of(table.pristine())
    }

    /// Takes what a camera sees now.
    pub(crate) fn take(
        &mut self,
        table: &mut PlayTable,
        camera: Camera,
        size: [usize; 2],
        channels: Channels,
    ) {
        let still = &mut self.0;
        still.size = size;
        still.channels = channels;
        still.geometry = table.camera_geometry(camera, size[0], size[1]);
        still.stamp_ns = table.time_ns();
        let mut view = MjvCamera::new_fixed(table.camera_id(camera));
        let (options, perturbation) = (MjvOption::default(), MjvPerturb::default());
        still
            .things
            .update(table.data_mut(), &options, &perturbation, &mut view);
        let (lamp, lit) = table.lamp();
        let patterns = table.patterns();
        if !lit && patterns.is_empty() {
            return;
        }
        // SAFETY: only colours and indices of materials that the model has are written.
        for geom in unsafe { still.things.geoms_mut() } {
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
}

impl Shot for TableShot {
    fn draw(&mut self, studio: &mut Studio, frame: &mut Frame) -> Result<(), WorldError> {
        self.0.draw(NAME, studio, frame)
    }
}
