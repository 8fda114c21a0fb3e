//! Draws the play table's cameras.

use crate::camera::Camera;
use crate::world::PlayTable;
use mujoco_rs::mujoco_c::{mjtObj, mjtRndFlag};
use mujoco_rs::prelude::{MjrContext, MjrRectangle, MjvCamera, MjvOption, MjvPerturb, MjvScene};
use std::sync::MutexGuard;
use tiller_offscreen::{
    Context, RenderError, depths_in_mm, flip_rows, labels_of_colours, lock_display,
};
use tiller_world::{Channels, Frame};

/// Largest width and height: the scene's off-screen buffer.
pub(crate) const SIDE_LIMIT: usize = 1024;
/// Room in MuJoCo's list of things to draw; the scene has about fifty.
const MAX_GEOMS: usize = 500;
/// Colour of the lamp when lit.
const LAMP_LIT: [f32; 4] = [0.35, 1.0, 0.35, 1.0];

/// Renders images of one size from any play table. Several may exist in one process; each stays on the
/// thread that made it.
pub struct Renderer {
    // Dropped in this order: MuJoCo frees its buffers while the context is still there and current.
    buffers: MjrContext,
    scene: MjvScene,
    context: Context,
    width: usize,
    height: usize,
    raw_depth: Vec<f32>,
    raw_ids: Vec<u8>,
    // Last, so that everything above is closed under the lock.
    closing: Option<MutexGuard<'static, ()>>,
}

impl Renderer {
    /// Prepares to render images of a size.
    ///
    /// # Errors
    /// [`RenderError::NoDevice`] when EGL is missing or cannot draw, [`RenderError::Size`] beyond 1024 pixels.
    pub fn new(table: &PlayTable, width: usize, height: usize) -> Result<Self, RenderError> {
        if !(1..=SIDE_LIMIT).contains(&width) || !(1..=SIDE_LIMIT).contains(&height) {
            return Err(RenderError::Size {
                width,
                height,
                limit: [SIDE_LIMIT; 2],
            });
        }
        let _opening = lock_display();
        let context = Context::open()?;
        // SAFETY: the context was made current on this thread just now, it is made current again before
        // every use and before the drop, and it lives as long as the buffers.
        let mut buffers = unsafe { MjrContext::new(table.model()) };
        buffers.offscreen();
        let scene = MjvScene::new(table.model(), MAX_GEOMS);
        Ok(Self {
            buffers,
            scene,
            context,
            width,
            height,
            raw_depth: Vec::new(),
            raw_ids: Vec::new(),
            closing: None,
        })
    }

    /// Name of the device that renders.
    pub fn device(&self) -> &str {
        self.context.device()
    }

    /// Renders one camera into a frame, whose buffers are reused. Channels not asked for come back empty.
    ///
    /// # Errors
    /// [`RenderError::Context`] when the graphics context is lost.
    pub fn render(
        &mut self,
        table: &mut PlayTable,
        camera: Camera,
        channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        self.context.make_current()?;
        self.update_scene(table, camera);
        let pixels = self.width * self.height;
        let wanted = |on: bool, size: usize| if on { size } else { 0 };
        frame.width = self.width;
        frame.height = self.height;
        frame.rgb.resize(wanted(channels.colour, 3 * pixels), 0);
        frame.depth_mm.resize(wanted(channels.depth, pixels), 0);
        frame
            .segmentation
            .resize(wanted(channels.segmentation, pixels), 0);
        if channels.colour || channels.depth {
            self.draw_colour_and_depth(table, frame)?;
        }
        if channels.segmentation {
            self.draw_segmentation(table, frame)?;
        }
        Ok(())
    }

    fn update_scene(&mut self, table: &mut PlayTable, camera: Camera) {
        let mut view = MjvCamera::new_fixed(table.camera_id(camera));
        let (lamp, lit) = table.lamp();
        let (options, perturbation) = (MjvOption::default(), MjvPerturb::default());
        self.scene
            .update(table.data_mut(), &options, &perturbation, &mut view);
        let patterns = table.patterns();
        if !lit && patterns.is_empty() {
            return;
        }
        // SAFETY: only colours and indices of materials that the model has are written.
        for geom in unsafe { self.scene.geoms_mut() } {
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

    fn viewport(&self) -> MjrRectangle {
        MjrRectangle::new(0, 0, self.width as i32, self.height as i32)
    }

    fn draw_colour_and_depth(
        &mut self,
        table: &PlayTable,
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        let viewport = self.viewport();
        self.scene.render(&viewport, &self.buffers);
        self.raw_depth.resize(frame.depth_mm.len(), 0.0);
        let rgb = (!frame.rgb.is_empty()).then_some(&mut frame.rgb[..]);
        let depth = (!self.raw_depth.is_empty()).then_some(&mut self.raw_depth[..]);
        self.buffers
            .read_pixels(rgb, depth, &viewport)
            .map_err(read_error)?;
        let (extent, map) = (table.model().stat().extent, &table.model().vis().map);
        let (near, far) = (f64::from(map.znear) * extent, f64::from(map.zfar) * extent);
        depths_in_mm(&self.raw_depth, [near, far], &mut frame.depth_mm);
        flip_rows(&mut frame.rgb, self.height);
        flip_rows(&mut frame.depth_mm, self.height);
        Ok(())
    }

    fn draw_segmentation(
        &mut self,
        table: &PlayTable,
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        let viewport = self.viewport();
        self.set_segmentation(true);
        self.scene.render(&viewport, &self.buffers);
        self.set_segmentation(false);
        self.raw_ids.resize(3 * frame.segmentation.len(), 0);
        self.buffers
            .read_pixels(Some(&mut self.raw_ids), None, &viewport)
            .map_err(read_error)?;
        // MuJoCo paints each thing in the colour segid + 1.
        let geoms = self.scene.geoms();
        let mut label_of = vec![0_u8; geoms.len() + 1];
        for geom in geoms
            .iter()
            .filter(|geom| geom.objtype == mjtObj::mjOBJ_GEOM as i32)
        {
            let slot = usize::try_from(geom.segid + 1)
                .ok()
                .and_then(|id| label_of.get_mut(id));
            let label = usize::try_from(geom.objid)
                .ok()
                .and_then(|id| table.geom_labels().get(id));
            if let (Some(slot), Some(label)) = (slot, label) {
                *slot = *label;
            }
        }
        labels_of_colours(&self.raw_ids, &label_of, &mut frame.segmentation);
        flip_rows(&mut frame.segmentation, self.height);
        Ok(())
    }

    fn set_segmentation(&mut self, on: bool) {
        let flags = self.scene.flags_mut();
        flags[mjtRndFlag::mjRND_SEGMENT as usize] = u8::from(on);
        flags[mjtRndFlag::mjRND_IDCOLOR as usize] = u8::from(on);
    }
}

impl Drop for Renderer {
    fn drop(&mut self) {
        // The buffers are freed next and need their context; when it is lost there is nothing to free.
        let _lost = self.context.make_current();
        self.closing = Some(lock_display());
    }
}

fn read_error(error: mujoco_rs::prelude::MjrContextError) -> RenderError {
    RenderError::Read(error.to_string())
}
