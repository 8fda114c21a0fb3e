//! Episodes by workers in other processes: one scheduler, any number of workers, on one machine or many.
//!
//! What travels between them is in [`words`]; who carries it is not known here. Both sides say what is, not what has
//! happened: a worker says where it stands, at every change and each second, and the scheduler answers with what it
//! is to do. So whatever gets lost, comes twice or comes late does no harm. Jobs are known by their number, and the
//! first line of a job counts.
//!
//! [`Scheduler`] and [`Worker`] know no clock and no messages; nodes and tests feed them.

mod scheduler;
pub mod words;
mod worker;

use std::sync::atomic::AtomicBool;

use eyre::Result;
use serde::{Deserialize, Serialize};

pub use scheduler::{Effect, Scheduler};
pub use words::{At, Build, FromScheduler, Plan, Report, ToScheduler, Work};
pub use worker::Worker;

use crate::{EpisodeLine, NamedJob};

/// What comes of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Its line, and what the world recorded for its referee.
    Line {
        /// Which job, from 0.
        job: usize,
        /// The line.
        line: Box<EpisodeLine>,
        /// The record.
        record: Option<String>,
    },
    /// Nobody could run it.
    GivenUp {
        /// Which job, from 0.
        job: usize,
        /// Why not.
        why: String,
    },
}

/// Who has episodes run.
pub trait Crew {
    /// Has the jobs run and hands each answer on as it comes; ends early, without an error, once `stop` is set and what was
    /// under way has ended.
    ///
    /// # Errors
    /// When nobody can work on, and what `each` says.
    fn run(
        &mut self,
        plan: &Plan,
        jobs: &[NamedJob],
        stop: &AtomicBool,
        each: &mut dyn FnMut(Answer) -> Result<()>,
    ) -> Result<()>;
}
