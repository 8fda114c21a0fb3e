//! Executes action chunks on an arm, within its limits.
//!
//! A library too, so that the arm's thread can be measured by itself (`examples/jitter.rs`).

mod arms;
mod config;
mod driven;
mod lockstep;
mod node;
mod realtime;
mod rings;
mod signals;
mod watched;

pub use arms::{Driver, DriverError, OfNode};
pub use config::Settings;
pub use driven::{Driven, Journal};
pub use node::{ESSENTIAL, Machine, run};
pub use realtime::RealTime;
