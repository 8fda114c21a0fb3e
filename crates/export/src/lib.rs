//! Recordings of dataflows as LeRobot data sets ([`to_lerobot`]).
//!
//! It reads a recording through `tiller-recording`, knows messages by `tiller-messages`, and tells what it left
//! out. Whoever calls sees how far it is, and may end it, through a [`Watch`].

mod error;
mod picture;
#[cfg(test)]
mod testing;
mod to_lerobot;

pub use error::ExportError;
pub use to_lerobot::{Columns, LerobotOptions, LerobotSummary, SkippedEpisode, to_lerobot};

/// Is told bytes done and bytes in all, again and again; its error ends the export.
pub type Watch<'a> = dyn FnMut(u64, u64) -> Result<(), ExportError> + 'a;
