//! The operator's way into a running dataflow.

mod node;
mod orders;
mod request;
mod socket;

use std::process::ExitCode;

use tiller_node_kit::run_node;

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let mut env = outbox.environment(Some("runs/latest"))?;
        let folder = env.path("RUN_DIR", "runs/latest");
        let folder = env.finish(folder)?;
        node::run(&folder, inbox, outbox)
    })
}
