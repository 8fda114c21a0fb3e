//! The operator's way into a running dataflow.

mod node;
mod orders;
mod request;
mod socket;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let mut env = Environment::process();
        let folder = env.path("RUN_DIR", "runs/latest");
        let folder = env.finish(folder)?;
        node::run(&folder, inbox, outbox)
    })
}
