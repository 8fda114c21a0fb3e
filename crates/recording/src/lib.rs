//! Recordings of dataflows (`.drec`), read as typed messages.
//!
//! `dora record` and `cargo xtask demo --record` write them through the node `record`. [`Recording`] reads
//! one entry after another, each with who sent it and when it came; [`Entry::open`] decodes it, and
//! [`Sent::message`] or [`Sent::any`] read what it holds. The dataflow's runtime is not needed for that.
//!
//! ```no_run
//! use tiller_messages::{ArmState, AnyMessage};
//! use tiller_recording::Recording;
//!
//! let mut recording = Recording::open("run.drec".as_ref())?;
//! while let Some(entry) = recording.next_entry() {
//!     if entry.is("franka-actuator", "arm_state") {
//!         let state: ArmState = entry.open()?.message()?;
//!         println!("{} s: {:?}", entry.received_ns as f64 / 1e9, state.tcp);
//!     }
//! }
//! if let Some(broken) = recording.broken() {
//!     eprintln!("read up to its last whole entry: {broken}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod entry;
mod picture;
pub mod pixels;
mod reader;
mod report;
pub mod testing;

pub use entry::{Entry, EntryError, Sent};
pub use reader::{Broken, Header, Recording, RecordingError};
pub use report::{Missing, Recorded, Report, ReportError};
pub use tiller_core::RobotClock as Clock;
