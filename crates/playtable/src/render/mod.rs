//! Headless rendering of colour, depth and segmentation.

mod renderer;

pub use renderer::Renderer;
pub(crate) use renderer::SIDE_LIMIT;
pub use tiller_offscreen::RenderError;
