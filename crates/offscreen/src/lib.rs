//! An OpenGL context without a display, and images as OpenGL has them.
//!
//! Every world that draws takes its context here: EGL hands one display to everybody in a process, so
//! there is one lock for it.

mod context;
mod frame;

pub use context::{Context, RenderError, lock_display};
pub use frame::{depths_in_mm, flip_rows, labels_of_colours};
