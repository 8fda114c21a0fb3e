//! Headless rendering of colour, depth and instances, as the official environment looks.

mod renderer;

pub use renderer::Renderer;
pub use tiller_offscreen::RenderError;
