//! Pictures, plots and the summary of a run.

mod cadence;
mod config;
mod latency;
mod live;
mod motion;
mod node;
mod outcome;

use std::process::ExitCode;

use tiller_node_kit::run_node;

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(outbox.environment(Some("runs/latest"))?)?;
        node::run(&settings, inbox, outbox)
    })
}
