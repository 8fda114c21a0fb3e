//! Pictures, plots and the summary of a run.

fn main() {}
