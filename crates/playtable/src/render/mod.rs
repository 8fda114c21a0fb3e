//! Headless rendering of colour, depth and segmentation.

mod renderer;
mod shot;

pub use renderer::Renderer;
pub(crate) use shot::{SIDE_LIMIT, TableShot};
pub use tiller_offscreen::RenderError;
