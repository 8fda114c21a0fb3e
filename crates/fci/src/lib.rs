#![doc = include_str!("../README.md")]

mod arm;
mod config;
mod error;
mod hand;
mod probe;
mod steady;

pub use arm::FciArm;
pub use config::{FciConfig, HandConfig};
pub use error::FciError;
pub use hand::HandState;
pub use probe::{HandLook, RobotLook, look_at_hand, look_at_robot};
