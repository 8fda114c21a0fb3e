//! Headless rendering of colour, depth and segmentation.

mod context;
mod frame;
mod renderer;

pub use context::RenderError;
pub use renderer::Renderer;
