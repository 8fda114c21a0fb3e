#![doc = include_str!("../README.md")]

mod arm;
mod bounds;
mod connection;
mod faults;
mod flags;
mod frames;
mod gripper;
mod hand_motion;
mod log;
mod plan;
mod reference;
mod remote;
mod robot;
mod server;
mod success;
mod wire;

pub use arm::{Drive, EmulatedArm, KinematicArm, Pace};
pub use faults::Fault;
pub use flags::ErrorFlag;
pub use franka::FciVersion;
pub use log::{Entry, Event};
pub use plan::{PlanError, PlannedFault};
pub use reference::Peaks;
pub use remote::{Reins, RemoteArm};
pub use server::{Clock, Config, Counters, Emulator, StartError};
