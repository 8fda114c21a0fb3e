//! Paints lists of things into images.

use std::sync::{Arc, MutexGuard};

use mujoco_rs::mujoco_c::{mjtObj, mjtRndFlag};
use mujoco_rs::prelude::{MjModel, MjrContext, MjrRectangle, MjvScene};
use tiller_world::{Channels, Frame, Tool};

use crate::context::{Context, RenderError, lock_display};
use crate::frame::{depths_in_mm, flip_rows, labels_of_colours};

/// A graphics context with the textures and meshes of a scene, for images of one size. Stays on the thread that
/// made it.
pub struct Painter {
    // Dropped in this order: MuJoCo frees its buffers while the context is still there and current.
    buffers: MjrContext,
    context: Context,
    model: Arc<MjModel>,
    size: [usize; 2],
    raw_depth: Vec<f32>,
    raw_ids: Vec<u8>,
    label_of: Vec<u8>,
    // Last, so that everything above is closed under the lock.
    closing: Option<MutexGuard<'static, ()>>,
}

impl Painter {
    /// For images of `[columns, rows]`, at most `limit`: the model's off-screen buffer. Textures, meshes, quality and
    /// the range of depths are the model's.
    ///
    /// # Errors
    /// [`RenderError::NoDevice`] when EGL is missing or cannot draw, [`RenderError::Size`] beyond the limit.
    pub fn new(
        model: &Arc<MjModel>,
        size: [usize; 2],
        limit: [usize; 2],
    ) -> Result<Self, RenderError> {
        let [width, height] = size;
        if !(1..=limit[0]).contains(&width) || !(1..=limit[1]).contains(&height) {
            return Err(RenderError::Size {
                width,
                height,
                limit,
            });
        }
        let _opening = lock_display();
        let context = Context::open()?;
        // SAFETY: the context was made current on this thread just now, it is made current again before
        // every use and before the drop, and it lives as long as the buffers.
        let mut buffers = unsafe { MjrContext::new(model) };
        buffers.offscreen();
        Ok(Self {
            buffers,
            context,
            model: Arc::clone(model),
            size,
            raw_depth: Vec::new(),
            raw_ids: Vec::new(),
            label_of: Vec::new(),
            closing: None,
        })
    }

    /// Whether it paints that scene in that size.
    pub fn fits(&self, model: &Arc<MjModel>, size: [usize; 2]) -> bool {
        Arc::ptr_eq(&self.model, model) && self.size == size
    }

    /// Makes room in a frame for what is to be painted; channels not asked for come back empty. To be called before
    /// painting: another context may have been current on the thread.
    ///
    /// # Errors
    /// [`RenderError::Context`] when the graphics context is lost.
    pub fn begin(&self, channels: Channels, frame: &mut Frame) -> Result<(), RenderError> {
        self.context.make_current()?;
        let pixels = self.size[0] * self.size[1];
        let wanted = |on: bool, size: usize| if on { size } else { 0 };
        [frame.width, frame.height] = self.size;
        frame.rgb.resize(wanted(channels.colour, 3 * pixels), 0);
        frame.depth_mm.resize(wanted(channels.depth, pixels), 0);
        let labels = wanted(channels.segmentation, pixels);
        frame.segmentation.resize(labels, 0);
        Ok(())
    }

    /// Paints colour and depth, as far as the frame has room for them.
    ///
    /// # Errors
    /// [`RenderError::Read`] when the pixels cannot be read back.
    pub fn colour_and_depth(
        &mut self,
        things: &mut MjvScene,
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        let viewport = self.viewport();
        things.render(&viewport, &self.buffers);
        self.raw_depth.resize(frame.depth_mm.len(), 0.0);
        let rgb = (!frame.rgb.is_empty()).then_some(&mut frame.rgb[..]);
        let depth = (!self.raw_depth.is_empty()).then_some(&mut self.raw_depth[..]);
        self.buffers
            .read_pixels(rgb, depth, &viewport)
            .map_err(read_error)?;
        let (extent, map) = (self.model.stat().extent, &self.model.vis().map);
        let (near, far) = (f64::from(map.znear) * extent, f64::from(map.zfar) * extent);
        depths_in_mm(&self.raw_depth, [near, far], &mut frame.depth_mm);
        flip_rows(&mut frame.rgb, self.size[1]);
        flip_rows(&mut frame.depth_mm, self.size[1]);
        Ok(())
    }

    /// Paints the labels of geoms, by geom id.
    ///
    /// # Errors
    /// [`RenderError::Read`] when the pixels cannot be read back.
    pub fn segmentation(
        &mut self,
        things: &mut MjvScene,
        geom_labels: &[u8],
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        let viewport = self.viewport();
        in_colours_of_ids(things, true);
        things.render(&viewport, &self.buffers);
        in_colours_of_ids(things, false);
        self.raw_ids.resize(3 * frame.segmentation.len(), 0);
        self.buffers
            .read_pixels(Some(&mut self.raw_ids), None, &viewport)
            .map_err(read_error)?;
        // MuJoCo paints each thing in the colour segid + 1.
        let geoms = things.geoms();
        self.label_of.clear();
        self.label_of.resize(geoms.len() + 1, 0);
        let is_geom = mjtObj::mjOBJ_GEOM as i32;
        for geom in geoms.iter().filter(|geom| geom.objtype == is_geom) {
            let slot = usize::try_from(geom.segid + 1);
            let slot = slot.ok().and_then(|id| self.label_of.get_mut(id));
            let label = usize::try_from(geom.objid);
            let label = label.ok().and_then(|id| geom_labels.get(id));
            if let (Some(slot), Some(label)) = (slot, label) {
                *slot = *label;
            }
        }
        labels_of_colours(&self.raw_ids, &self.label_of, &mut frame.segmentation);
        flip_rows(&mut frame.segmentation, self.size[1]);
        Ok(())
    }

    fn viewport(&self) -> MjrRectangle {
        MjrRectangle::new(0, 0, self.size[0] as i32, self.size[1] as i32)
    }
}

fn in_colours_of_ids(things: &mut MjvScene, on: bool) {
    let flags = things.flags_mut();
    flags[mjtRndFlag::mjRND_SEGMENT as usize] = u8::from(on);
    flags[mjtRndFlag::mjRND_IDCOLOR as usize] = u8::from(on);
}

impl Tool for Painter {
    fn device(&self) -> &str {
        self.context.device()
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        // The buffers are freed next and need their context; when it is lost there is nothing to free.
        let _lost = self.context.make_current();
        self.closing = Some(lock_display());
    }
}

fn read_error(error: mujoco_rs::prelude::MjrContextError) -> RenderError {
    RenderError::Read(error.to_string())
}
