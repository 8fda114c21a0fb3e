//! What the `tiller` command line does, as a library so that tests reach it.

pub mod bench;
pub mod cli;
pub mod demos;
pub mod episode;
pub mod lerobot;
pub mod parallel;
pub mod progress;
pub mod report_page;
pub mod rig;
pub mod sample;
