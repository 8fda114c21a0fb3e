//! Draws a scene's cameras.

use tiller_offscreen::{Painter, RenderError};
use tiller_world::{Channels, Frame, Tool};

use super::shot::{Look, PackShot, Painted};
use crate::native::Native;

/// Renders images of one size from a task. Stays on the thread that made it.
pub struct Renderer {
    painter: Painter,
    shot: PackShot,
    size: [usize; 2],
}

impl Renderer {
    /// Prepares to render images of a size.
    ///
    /// # Errors
    /// [`RenderError::NoDevice`] when EGL is missing or cannot draw, [`RenderError::Size`] beyond 640 x 480 pixels.
    pub fn new(
        task: &Native,
        width: usize,
        height: usize,
        look: Look,
    ) -> Result<Self, RenderError> {
        let shot = PackShot::new(&Painted::new(task, look));
        let size = [width, height];
        Ok(Self {
            painter: shot.still.painter(size)?,
            shot,
            size,
        })
    }

    /// Name of the device that renders.
    #[must_use]
    pub fn device(&self) -> &str {
        self.painter.device()
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
        self.shot.take(task, camera, self.size, channels)?;
        self.shot.still.paint(&mut self.painter, frame)
    }
}
