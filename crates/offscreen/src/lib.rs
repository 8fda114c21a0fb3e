//! An OpenGL context without a display, and what worlds in MuJoCo paint with it.
//!
//! Every world that draws takes its context here: EGL hands one display to everybody in a process, so
//! there is one lock for it. A [`Painter`] paints lists of things that were made elsewhere, on another
//! thread perhaps.

mod coarse;
mod context;
mod frame;
mod painter;
mod sight;
mod still;

pub use coarse::coarsen;
pub use context::RenderError;
pub use painter::Painter;
pub use still::Still;
