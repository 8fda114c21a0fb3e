//! Benchmarks: seeded episodes of any world run in one process, with the code that the dataflow's nodes run.
//!
//! * [`Subjects`] are the worlds that can be measured, each with the author that steers in it.
//! * [`run()`] runs the episodes of a [`BenchConfig`] and keeps a journal of [`EpisodeLine`]s.
//! * [`fleet`] has them run by workers in other processes, on this machine or others.
//! * [`episode`] is the closed loop of one episode.
//! * [`report_page`] makes one HTML page of such journals.
//! * [`demos`] records demonstrations in the same world, with the same actuator in front of it.

pub mod demos;
pub mod episode;
mod failure;
pub mod fleet;
mod handicap;
mod job;
mod journal;
mod line;
mod line_file;
mod method;
mod parallel;
mod progress;
pub mod referee;
pub mod report_page;
mod rig;
mod run;
mod sight;
mod station;
mod subject;
mod table;
mod tuned;

pub use handicap::Handicap;
pub use job::{FREE_RUN, NamedJob, task_of};
pub use line::{EpisodeLine, Settings};
pub use method::Method;
pub use rig::POLICY_STEP_NS;
pub use run::{BenchConfig, run, run_on};
pub use sight::{Sight, SightSettings};
pub use subject::{Subject, Subjects};
pub use table::{Cell, Tally};
pub use tuned::Tuned;
