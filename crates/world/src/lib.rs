//! What a world is to everybody else: a simulator with a robot, cameras and tasks.
//!
//! The benchmark runs any [`World`] in process, the simulator node shows any to a dataflow, and neither
//! knows which one it is: worlds are registered by name in a [`Registry`], a line each.
//!
//! * [`WorldKind`] is what can be known before a world is made: robot, cameras, tasks as text ids,
//!   variations, what an instruction means.
//! * [`World`] runs: [`reset`](World::reset), [`command`](World::command), [`step`](World::step),
//!   [`arm`](World::arm), [`look`](World::look), [`verdict`](World::verdict).
//! * [`Episode`] keeps the verdict of one episode: success has to hold for a second, unless the world has other rules.
//!
//! Lengths are metres in the robot base frame, angles radians, times nanoseconds of simulation.

mod camera;
mod episode;
mod error;
mod info;
mod random;
mod registry;
mod shot;
mod suite;
mod world;

pub use camera::{CameraGeometry, Channels, Frame};
pub use episode::{
    Collateral, Episode, EpisodeSpec, FIRST_TRAINING_SEED, HOLD_NS, Held, Variation, Verdict,
};
pub use error::WorldError;
pub use info::{AxisInfo, CameraInfo, CommandLevel, GroupInfo, RobotInfo, TaskInfo, WorldInfo};
pub use random::Random;
pub use registry::{Absent, Registry};
pub use shot::{Shot, Studio, Tool, used};
pub use suite::{ALL_TASKS, HARD, Suite};
pub use world::{
    ArmMeasurement, Command, ExpertStep, HandStep, SETPOINT_NS, Said, World, WorldKind,
};
