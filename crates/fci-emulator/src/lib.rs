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
mod reference;
mod robot;
mod server;
mod success;
mod wire;

pub use arm::{Drive, EmulatedArm, KinematicArm};
pub use faults::Fault;
pub use flags::ErrorFlag;
pub use franka::FciVersion;
pub use log::{Entry, Event};
pub use reference::Peaks;
pub use server::{Clock, Config, Counters, Emulator, StartError};
