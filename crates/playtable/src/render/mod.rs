//! Headless rendering of colour, depth and segmentation.

mod renderer;

pub use renderer::Renderer;
pub use tiller_offscreen::RenderError;
