//! Headless rendering of colour, depth and instances, as the official environment looks or plainer.

mod renderer;
mod shot;

pub use renderer::Renderer;
pub use shot::Look;
pub(crate) use shot::{LIMIT, PackShot, Painted};
pub use tiller_offscreen::RenderError;
