//! Headless rendering of colour, depth and instances, as the official environment looks or plainer.

mod renderer;

pub(crate) use renderer::LIMIT;
pub use renderer::{Look, Renderer};
pub use tiller_offscreen::RenderError;
