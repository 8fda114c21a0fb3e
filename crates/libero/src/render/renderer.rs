//! Draws a scene's cameras.

use std::sync::MutexGuard;

use mujoco_rs::mujoco_c::{mjtObj, mjtRndFlag};
use mujoco_rs::prelude::{
    MjData, MjModel, MjrContext, MjrRectangle, MjvCamera, MjvOption, MjvPerturb, MjvScene,
};
use tiller_offscreen::{
    Context, RenderError, depths_in_mm, flip_rows, labels_of_colours, lock_display,
};
use tiller_world::{Channels, Frame};

use crate::native::Native;

/// Largest columns and rows: the off-screen buffer of the package's scenes.
pub(crate) const LIMIT: [usize; 2] = [640, 480];
/// Room in `MuJoCo`'s list of things to draw, as the package has it.
const MAX_GEOMS: usize = 1000;
/// The group of geoms that collide: the package does not draw them.
const COLLISION_GROUP: usize = 0;

/// How pictures look. Depths and labels are those of the same places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// Without reflections, shadows and smoothed edges: the stove is darker, and a picture takes a fifth of the time.
    #[default]
    Plain,
    /// As the official environment draws them.
    Official,
}

/// Renders images of one size from any task whose scene has the same textures: one for each [`Native`] is right.
/// Stays on the thread that made it.
pub struct Renderer {
    // Dropped in this order: MuJoCo frees its buffers while the context is still there and current.
    buffers: MjrContext,
    scene: MjvScene,
    context: Context,
    options: MjvOption,
    width: usize,
    height: usize,
    raw_depth: Vec<f32>,
    raw_ids: Vec<u8>,
    label_of: Vec<u8>,
    // Last, so that everything above is closed under the lock.
    closing: Option<MutexGuard<'static, ()>>,
}

impl Renderer {
    /// Prepares to render images of a size.
    ///
    /// # Errors
    /// [`RenderError::NoDevice`] when EGL is missing or cannot draw, [`RenderError::Size`] beyond 640 x 480 pixels.
    pub fn new(
        task: &mut Native,
        width: usize,
        height: usize,
        look: Look,
    ) -> Result<Self, RenderError> {
        if look == Look::Official {
            return Self::open(task, width, height);
        }
        let before = set_quality(task, [0, 0]);
        let made = Self::open(task, width, height);
        set_quality(task, before);
        let mut made = made?;
        let flags = made.scene.flags_mut();
        for flag in [mjtRndFlag::mjRND_REFLECTION, mjtRndFlag::mjRND_SHADOW] {
            flags[flag as usize] = 0;
        }
        Ok(made)
    }

    fn open(task: &Native, width: usize, height: usize) -> Result<Self, RenderError> {
        if !(1..=LIMIT[0]).contains(&width) || !(1..=LIMIT[1]).contains(&height) {
            return Err(RenderError::Size {
                width,
                height,
                limit: LIMIT,
            });
        }
        let model = task.data().model();
        let _opening = lock_display();
        let context = Context::open()?;
        // SAFETY: the context was made current on this thread just now, it is made current again before
        // every use and before the drop, and it lives as long as the buffers.
        let mut buffers = unsafe { MjrContext::new(model) };
        buffers.offscreen();
        let mut options = MjvOption::default();
        options.geomgroup[COLLISION_GROUP] = 0;
        Ok(Self {
            buffers,
            scene: MjvScene::new(model, MAX_GEOMS),
            context,
            options,
            width,
            height,
            raw_depth: Vec::new(),
            raw_ids: Vec::new(),
            label_of: Vec::new(),
            closing: None,
        })
    }

    /// Name of the device that renders.
    #[must_use]
    pub fn device(&self) -> &str {
        self.context.device()
    }

    /// Renders one of the pack's cameras, by its place among them, into a frame, whose buffers are reused. Rows
    /// count from the top. Channels not asked for come back empty.
    ///
    /// # Errors
    /// [`RenderError::Context`] when the graphics context is lost, [`RenderError::Camera`] for a camera that the
    /// pack has not.
    pub fn render(
        &mut self,
        task: &mut Native,
        camera: usize,
        channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        let size = [self.width, self.height];
        frame.geometry = task
            .camera_geometry(camera, size)
            .ok_or(RenderError::Camera(camera))?;
        frame.stamp_ns = task.time_ns();
        self.context.make_current()?;
        task.light_sites();
        let pixels = self.width * self.height;
        let wanted = |on: bool, size: usize| if on { size } else { 0 };
        [frame.width, frame.height] = size;
        frame.rgb.resize(wanted(channels.colour, 3 * pixels), 0);
        frame.depth_mm.resize(wanted(channels.depth, pixels), 0);
        let labels = wanted(channels.segmentation, pixels);
        frame.segmentation.resize(labels, 0);
        if channels.colour || channels.depth {
            self.update_scene(task, camera, true);
            self.draw_colour_and_depth(task.data(), frame)?;
        }
        if channels.segmentation {
            // Sites are no things, and where one is invisible it would hide what is behind it.
            self.update_scene(task, camera, false);
            self.draw_segmentation(task.geom_labels(), frame)?;
        }
        Ok(())
    }

    fn update_scene(&mut self, task: &mut Native, camera: usize, sites: bool) {
        let mut view = MjvCamera::new_fixed(task.camera_id(camera));
        let still = MjvPerturb::default();
        let mut options = self.options.clone();
        if !sites {
            options.sitegroup.fill(0);
        }
        self.scene
            .update(task.data_mut(), &options, &still, &mut view);
    }

    fn viewport(&self) -> MjrRectangle {
        MjrRectangle::new(0, 0, self.width as i32, self.height as i32)
    }

    fn draw_colour_and_depth(
        &mut self,
        data: &MjData<Box<MjModel>>,
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
        let (extent, map) = (data.model().stat().extent, &data.model().vis().map);
        let (near, far) = (f64::from(map.znear) * extent, f64::from(map.zfar) * extent);
        depths_in_mm(&self.raw_depth, [near, far], &mut frame.depth_mm);
        flip_rows(&mut frame.rgb, self.height);
        flip_rows(&mut frame.depth_mm, self.height);
        Ok(())
    }

    fn draw_segmentation(
        &mut self,
        geom_labels: &[u8],
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

/// Sets samples for a smooth edge and pixels of shadows, which a context takes when it is made; returns those before.
fn set_quality(task: &mut Native, [samples, shadow]: [i32; 2]) -> [i32; 2] {
    // SAFETY: only settings of renderers are written; no size, index or address changes.
    let quality = unsafe { &mut task.data_mut().model_mut().vis_mut().quality };
    let before = [quality.offsamples, quality.shadowsize];
    [quality.offsamples, quality.shadowsize] = [samples, shadow];
    before
}

fn read_error(error: mujoco_rs::prelude::MjrContextError) -> RenderError {
    RenderError::Read(error.to_string())
}
