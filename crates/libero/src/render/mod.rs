//! Headless rendering of colour, depth and instances, as the official environment looks.

mod context;
mod frame;
mod renderer;

pub use context::RenderError;
pub use renderer::Renderer;
