//! Instruction and keypoints to a checked reward program.

mod advising;
mod config;
mod node;
mod picture;
mod program;
mod waiting;
mod writing;

use std::process::ExitCode;
use std::sync::Arc;

use tiller_node_kit::{Environment, run_node_with_keys};
use tiller_playtable_author::EmbeddedAuthor;

fn main() -> ExitCode {
    run_node_with_keys(node::ESSENTIAL, |inbox, outbox| {
        let setup = config::Setup::read(Environment::process(), Arc::new(EmbeddedAuthor))?;
        node::run(&setup, inbox, outbox)
    })
}
