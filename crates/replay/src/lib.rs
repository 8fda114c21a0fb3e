//! What was decided in a recorded run, decided again: by the same machines, in one process, from what they were told.
//!
//! A recording holds the journals of author, sampler, switcher and actuator (output `journal`): how each was set, every event
//! in the order in which it came, and every effect. [`Stories`] reads them, [`replay`] tells the events to fresh machines
//! and compares what they answer with what was answered then, to the last bit; plans are made anew from the
//! recorded pictures by the policy itself. Programs are written anew, too: the author's journal holds what it was given,
//! what was asked and what was answered; the author of a world is asked again, answers of models are played back.
//! [`Changes`] make them under other settings, and say what would have
//! been otherwise.

mod authors;
mod check;
mod frames;
mod page;
mod replan;
mod report;
mod story;
mod what_if;

pub use authors::Means;
pub use check::replay;
pub use page::page;
pub use replan::{Changes, ReplanError};
pub use report::{Compared, Difference, MachineReport, ProgramReport, Report, Verdict};
pub use story::{Stories, Story};
pub use what_if::{Alternative, Plans, what_if};

/// Why nothing can be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] tiller_recording::RecordingError),
    /// Nobody's journal is in it.
    #[error(
        "expected journals of the sampler, the switcher and the actuator, found none: nodes send them where the dataflow \
         declares their output `journal` and JOURNAL is not `off`"
    )]
    NoJournal,
    /// There are no exchanges where they should be.
    #[error(transparent)]
    Exchanges(#[from] tiller_vlm::provider::FilesError),
    /// Plans cannot be made anew.
    #[error(transparent)]
    Replan(#[from] ReplanError),
}
