//! Paints lists of things into images.

use std::sync::{Arc, MutexGuard};

use mujoco_rs::mujoco_c::{mjtObj, mjtRndFlag};
use mujoco_rs::prelude::{MjModel, MjrContext, MjrRectangle, MjvScene};
use tiller_world::{Channels, Frame, Tool};

use crate::context::{Context, RenderError, lock_display};
use crate::frame::{depths_in_mm, flip_rows, labels_of_colours};
use crate::sight::leave_out_unseen;

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

    /// Paints colour and depth, as far as the frame has room for them; what the camera cannot see is taken from the
    /// list.
    ///
    /// # Errors
    /// [`RenderError::Read`] when the pixels cannot be read back.
    pub fn colour_and_depth(
        &mut self,
        things: &mut MjvScene,
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        leave_out_unseen(things, &self.model, self.size);
        self.paint(things, &mut frame.rgb, &mut frame.depth_mm)
    }

    /// Paints the labels of geoms, by geom id; what the camera cannot see is taken from the list.
    ///
    /// # Errors
    /// [`RenderError::Read`] when the pixels cannot be read back.
    pub fn segmentation(
        &mut self,
        things: &mut MjvScene,
        geom_labels: &[u8],
        frame: &mut Frame,
    ) -> Result<(), RenderError> {
        leave_out_unseen(things, &self.model, self.size);
        let mut ids = std::mem::take(&mut self.raw_ids);
        ids.resize(3 * frame.segmentation.len(), 0);
        in_colours_of_ids(things, true);
        let painted = self.paint(things, &mut ids, &mut []);
        in_colours_of_ids(things, false);
        self.raw_ids = ids;
        painted?;
        // MuJoCo paints each thing in the colour segid + 1.
        let geoms = things.geoms();
        let largest = geoms.iter().map(|geom| geom.segid).max().unwrap_or(-1);
        self.label_of.clear();
        self.label_of
            .resize(usize::try_from(largest + 2).unwrap_or(1), 0);
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
        Ok(())
    }

    /// Paints all that is in the list: three bytes a pixel, and millimetres; what has no room is left out.
    fn paint(
        &mut self,
        things: &mut MjvScene,
        colours: &mut [u8],
        depths_mm: &mut [u16],
    ) -> Result<(), RenderError> {
        let viewport = self.viewport();
        things.render(&viewport, &self.buffers);
        self.raw_depth.resize(depths_mm.len(), 0.0);
        let into_colours = (!colours.is_empty()).then_some(&mut *colours);
        let into_depth = (!self.raw_depth.is_empty()).then_some(&mut self.raw_depth[..]);
        self.buffers
            .read_pixels(into_colours, into_depth, &viewport)
            .map_err(read_error)?;
        let (extent, map) = (self.model.stat().extent, &self.model.vis().map);
        let (near, far) = (f64::from(map.znear) * extent, f64::from(map.zfar) * extent);
        depths_in_mm(&self.raw_depth, [near, far], depths_mm);
        // They come from below.
        flip_rows(colours, self.size[1]);
        flip_rows(depths_mm, self.size[1]);
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use mujoco_rs::prelude::{MjData, MjvCamera, MjvOption, MjvPerturb};

    use super::*;

    /// Things of every kind in a crowd around a camera, most of them out of its sight.
    fn crowd() -> Arc<MjModel> {
        let mut geoms = String::new();
        for index in 0..300 {
            let turn = f64::from(index);
            let at = [turn.sin(), (1.7 * turn).cos(), (2.3 * turn).sin()].map(|x| 3.0 * x);
            let kind = ["sphere", "box", "capsule", "cylinder", "ellipsoid"][index as usize % 5];
            writeln!(
                geoms,
                "<geom type='{kind}' size='.3 .05 .1' pos='{} {} {}' euler='{turn} 0 {turn}' rgba='{} .5 .5 {}'/>",
                at[0],
                at[1],
                at[2],
                f64::from(index % 7) / 7.0,
                if index % 11 == 0 { 0.5 } else { 1.0 }
            )
            .unwrap();
        }
        let xml = format!(
            "<mujoco><visual><quality shadowsize='0' offsamples='0'/></visual><worldbody>\
             <light pos='0 0 4'/><geom type='plane' size='9 9 1' pos='0 0 -3'/>\
             <camera name='eye' pos='.2 -1 .4' euler='70 10 0' fovy='50'/>{geoms}</worldbody></mujoco>"
        );
        Arc::new(MjModel::from_xml_string(&xml).unwrap())
    }

    #[test]
    fn leaving_out_what_is_not_seen_changes_no_pixel() {
        let model = crowd();
        let size = [96, 64];
        let mut painter = Painter::new(&model, size, [640, 480]).unwrap();
        let mut data = MjData::new(Arc::clone(&model));
        data.forward();
        let mut things = MjvScene::new(&model, 400);
        let mut take = |shadows: bool| {
            let flags = things.flags_mut();
            for flag in [mjtRndFlag::mjRND_REFLECTION, mjtRndFlag::mjRND_SHADOW] {
                flags[flag as usize] = u8::from(shadows);
            }
            let (options, still) = (MjvOption::default(), MjvPerturb::default());
            things.update(&mut data, &options, &still, &mut MjvCamera::new_fixed(0));
            let all = things.geoms().len();
            let mut frames = [Frame::default(), Frame::default()];
            for frame in &mut frames {
                painter.begin(Channels::ALL, frame).unwrap();
            }
            let labels: Vec<u8> = (0..301).map(|id| (id % 250) as u8 + 1).collect();
            let [whole, less] = &mut frames;
            painter
                .paint(&mut things, &mut whole.rgb, &mut whole.depth_mm)
                .unwrap();
            painter.colour_and_depth(&mut things, less).unwrap();
            painter.segmentation(&mut things, &labels, less).unwrap();
            (all, things.geoms().len(), frames)
        };
        let (all, seen, [whole, less]) = take(false);
        assert!((10..all / 3).contains(&seen), "{seen} of {all}");
        assert!(whole.rgb == less.rgb && whole.depth_mm == less.depth_mm);
        let labels: std::collections::BTreeSet<_> = less.segmentation.iter().collect();
        assert!(labels.len() > 10, "{labels:?}");
        let (all, seen, _) = take(true);
        assert_eq!(seen, all, "a shadow may fall from anywhere");
    }
}
