//! Instruction and keypoints to a checked reward program.

mod advising;
mod config;
mod kept;
mod node;
mod picture;
mod proposals;
mod waiting;
mod worlds;
mod writing;

use std::process::ExitCode;

use tiller_node_kit::run_node_with_keys;

fn main() -> ExitCode {
    run_node_with_keys(node::ESSENTIAL, |inbox, outbox| {
        let setup = config::Setup::read(
            outbox.environment(None)?,
            worlds::embedded()?,
            outbox.restarts() > 0,
        )?;
        node::run(&setup, inbox, outbox)
    })
}
