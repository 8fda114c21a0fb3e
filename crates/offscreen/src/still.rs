//! What a camera saw, before it is painted.

use std::sync::Arc;

use mujoco_rs::prelude::{MjModel, MjvScene};
use tiller_world::{CameraGeometry, Channels, Frame, Studio, WorldError};

use crate::context::RenderError;
use crate::painter::Painter;

/// Lists of things as a camera saw them, with all that it takes to paint them: the body of a world's
/// [`Shot`](tiller_world::Shot).
pub struct Still {
    /// What is painted in colour and depth.
    pub things: MjvScene,
    /// What labels are painted from, where these are other things.
    pub labelled: Option<MjvScene>,
    /// Columns and rows, pixels.
    pub size: [usize; 2],
    /// What is painted.
    pub channels: Channels,
    /// Where the camera was.
    pub geometry: CameraGeometry,
    /// When, ns.
    pub stamp_ns: u64,
    model: Arc<MjModel>,
    labels: Arc<[u8]>,
    limit: [usize; 2],
}

impl Still {
    /// Of a scene with these textures and meshes, a label for each geom, and no more than so many columns and rows.
    #[must_use]
    pub fn new(
        model: &Arc<MjModel>,
        labels: &Arc<[u8]>,
        limit: [usize; 2],
        things: MjvScene,
    ) -> Self {
        Self {
            things,
            labelled: None,
            size: [0; 2],
            channels: Channels::COLOUR,
            geometry: CameraGeometry::default(),
            stamp_ns: 0,
            model: Arc::clone(model),
            labels: Arc::clone(labels),
            limit,
        }
    }

    /// Whether it is of that scene.
    #[must_use]
    pub fn is_of(&self, model: &Arc<MjModel>) -> bool {
        Arc::ptr_eq(&self.model, model)
    }

    /// For pictures of that size of its scene.
    ///
    /// # Errors
    /// As [`Painter::new`].
    pub fn painter(&self, size: [usize; 2]) -> Result<Painter, RenderError> {
        Painter::new(&self.model, size, self.limit)
    }

    /// Paints it into a frame, whose buffers are reused.
    ///
    /// # Errors
    /// When the graphics context is lost.
    pub fn paint(&mut self, painter: &mut Painter, frame: &mut Frame) -> Result<(), RenderError> {
        painter.begin(self.channels, frame)?;
        frame.geometry = self.geometry;
        frame.stamp_ns = self.stamp_ns;
        if self.channels.colour || self.channels.depth {
            painter.colour_and_depth(&mut self.things, frame)?;
        }
        if self.channels.segmentation {
            let labelled = self.labelled.as_mut().unwrap_or(&mut self.things);
            painter.segmentation(labelled, &self.labels, frame)?;
        }
        Ok(())
    }

    /// The same with a painter of the studio, for the world of that name.
    ///
    /// # Errors
    /// [`WorldError::Failed`] where nothing can be painted.
    pub fn draw(
        &mut self,
        world: &'static str,
        studio: &mut Studio,
        frame: &mut Frame,
    ) -> Result<(), WorldError> {
        let (model, size) = (&self.model, self.size);
        let painter = studio
            .tool(
                |painter: &Painter| painter.fits(model, size),
                || self.painter(size),
            )
            .map_err(WorldError::failed(world, "cannot start the renderer"))?;
        self.paint(painter, frame)
            .map_err(WorldError::failed(world, "cannot render"))
    }
}
