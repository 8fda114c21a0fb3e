//! A simulated world as a dora node: any [`World`](tiller_world::World) that is registered.
//!
//! A library too, so that a test shows a world of its own to the node's loop.

mod config;
mod drawing;
mod episode;
mod images;
mod lockstep;
mod node;
mod pacer;
mod robot;

pub use config::Settings;
pub use node::{ESSENTIAL, run};
