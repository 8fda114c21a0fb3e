//! The play table as a dora node.

mod config;
mod episode;
mod images;
mod node;
mod pacer;
mod task;
mod world;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(Environment::process())?;
        node::run(&settings, inbox, outbox)
    })
}
