//! What every node shares: settings, logs, inputs and outputs, stopping, and the test harness.
//!
//! A node is a `main` that calls [`run_node`] and a `run` that reads an [`Inbox`] and writes an
//! [`Outbox`]; the harness in [`testing`] drives the same `run` without a daemon.

mod bell;
mod drill;
mod image;
mod inbox;
mod log;
mod matching;
mod outbox;
mod priority;
mod run_folder;
mod start;
mod stream;
pub mod testing;

pub use bell::Bell;
pub use image::{ImageError, ImageInput, ImageReader, fingerprint, robot_clock_ns};
pub use inbox::{End, Failure, HEARTBEAT, Inbox, Input, Next};
pub use log::init_logs;
pub use matching::{Complaint, ComplaintKind, FrameMatcher, FrameStamp, Matched, Offered};
pub use outbox::Outbox;
pub use priority::{step_back, thread_steps_back};
pub use start::{run_node, run_node_with_keys};
pub use stream::{Refused, Stream};
pub use tiller_core::Environment;
