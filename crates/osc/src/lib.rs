#![doc = include_str!("../README.md")]

mod arm;
pub mod emulator;
mod error;
mod law;
mod link;
pub mod wire;

pub use arm::{OscArm, OscConfig};
pub use error::OscError;
pub use law::{Clamped, Law, Step, ahead};
