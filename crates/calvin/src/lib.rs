//! CALVIN's tasks as one [`World`](tiller_world::World) among others: its official environment in a child
//! process, `python -m tiller_calvin.serve`, that is told joint set-points and says what its own oracle sees.
//!
//! Nothing of CALVIN is in here. Lengths are metres in the frame of the robot's base, angles radians, times
//! nanoseconds of simulation.

mod as_world;
mod child;
mod kind;
mod tasks;
mod words;

pub use as_world::CalvinWorld;
pub use child::ChildError;
pub use kind::{CalvinKind, NAME, installed};
