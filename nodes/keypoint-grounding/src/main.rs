//! Images to tracked 3-D keypoints with the names of their objects.

mod config;
mod node;
mod notices;
mod sight;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(Environment::process())?;
        node::run(&settings, inbox, outbox)
    })
}
