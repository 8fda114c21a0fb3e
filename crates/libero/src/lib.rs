//! LIBERO tasks in plain `MuJoCo`: scene packs exported once from the official package, its OSC_POSE
//! controller to its quirks, and the predicates of its goals.
//!
//! Nothing of the package is in here: a [`Pack`] names the meshes and textures of an installed one. The world
//! frame is the package's. Lengths are metres, angles radians, times nanoseconds of simulation.
//!
//! * [`Pack`] reads and checks a folder as `PACK.md` says.
//! * [`Native`] runs it: [`reset`](Native::reset), [`step`](Native::step), [`succeeded`](Native::succeeded).
//! * [`predicates`] are what goals are made of.
//! * [`kind`] makes a folder of packs one [`World`](tiller_world::World) among others.
//! * [`Renderer`] draws a pack's cameras without a display.

mod as_world;
mod controller;
mod expert;
mod kind;
mod names;
mod native;
pub mod pack;
mod parts;
pub mod predicates;
mod render;
mod scenery;

pub use as_world::LiberoWorld;
pub use controller::ACTION;
pub use kind::{KindError, LiberoKind, NAME, installed, kind};
pub use native::{IDLE, Native, NativeError, PHYSICS_NS, PHYSICS_STEPS, STEP_NS};
pub use pack::{Pack, PackError};
pub use render::{Look, RenderError, Renderer};
pub use tiller_world::{CameraGeometry, Channels, Frame};

/// What problems with the scene itself are named after.
const SCENE: &str = "scene.xml";
