//! Benchmarks: seeded episodes run in one process, with the code that the dataflow's nodes run.
//!
//! * [`run()`] runs the episodes of a [`BenchConfig`] and keeps a journal of [`EpisodeLine`]s.
//! * [`episode`] is the closed loop of one episode.
//! * [`report_page`] makes one HTML page of such journals.
//! * [`demos`] records demonstrations in the same world, with the same actuator in front of it.

pub mod demos;
pub mod episode;
mod failure;
mod journal;
mod line;
mod method;
pub mod ood;
mod parallel;
mod progress;
pub mod report_page;
mod rig;
mod run;
mod suite;
mod table;
mod tuned;
pub mod wilson;

pub use line::{EpisodeLine, Settings, Variation};
pub use method::Method;
pub use run::{BenchConfig, FREE_RUN, run};
pub use suite::{Suite, suite_of};
pub use table::{Cell, Tally};
pub use tuned::Tuned;
