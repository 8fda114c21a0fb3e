//! Draws the play table's cameras.

use tiller_offscreen::{Painter, RenderError};
use tiller_world::{Channels, Frame, Tool};

use super::shot::TableShot;
use crate::camera::Camera;
use crate::world::PlayTable;

/// Renders images of one size from a play table. Several may exist in one process; each stays on the
/// thread that made it.
pub struct Renderer {
    painter: Painter,
    shot: TableShot,
    size: [usize; 2],
}

impl Renderer {
    /// Prepares to render images of a size.
    ///
    /// # Errors
    /// [`RenderError::NoDevice`] when EGL is missing or cannot draw, [`RenderError::Size`] beyond 1024 pixels.
    pub fn new(table: &PlayTable, width: usize, height: usize) -> Result<Self, RenderError> {
        let size = [width, height];
        let shot = TableShot::of(table);
        Ok(Self {
            painter: shot.0.painter(size)?,
            shot,
            size,
        })
    }

    /// Name of the device that renders.
    pub fn device(&self) -> &str {
        self.painter.device()
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
        self.shot.take(table, camera, self.size, channels);
        self.shot.0.paint(&mut self.painter, frame)
    }
}
