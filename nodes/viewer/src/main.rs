//! Shows a running dataflow in Rerun.

mod blueprint;
mod config;
mod destination;
mod field;
mod node;
mod picture;
mod sink;

use std::process::ExitCode;

use tiller_node_kit::{run_node, step_back};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(outbox.environment(Some("runs/latest"))?)?;
        step_back();
        node::run(&settings, inbox, outbox)
    })
}
