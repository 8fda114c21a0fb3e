//! Recordings of dataflows as MCAP files ([`to_mcap`]) and as LeRobot data sets ([`to_lerobot`]).
//!
//! Both read a recording through `tiller-recording`, know messages by `tiller-messages`, and tell what they left
//! out. Whoever calls sees how far they are, and may end them, through a [`Watch`].

mod error;
mod json;
#[cfg(test)]
mod testing;
mod to_lerobot;
mod to_mcap;

pub use error::ExportError;
pub use to_lerobot::{Columns, LerobotOptions, LerobotSummary, SkippedEpisode, to_lerobot};
pub use to_mcap::{McapSummary, to_mcap};

/// Is told bytes done and bytes in all, again and again; its error ends the export.
pub type Watch<'a> = dyn FnMut(u64, u64) -> Result<(), ExportError> + 'a;
