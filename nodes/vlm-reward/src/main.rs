//! Instruction and keypoints to a checked reward program.

mod advising;
mod config;
mod desk;
mod kept;
mod node;
mod picture;
mod program;
mod waiting;
mod worlds;
mod writing;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node_with_keys};

fn main() -> ExitCode {
    run_node_with_keys(node::ESSENTIAL, |inbox, outbox| {
        let setup = config::Setup::read(
            Environment::process(),
            worlds::embedded()?,
            outbox.restarts() > 0,
        )?;
        node::run(&setup, inbox, outbox)
    })
}
