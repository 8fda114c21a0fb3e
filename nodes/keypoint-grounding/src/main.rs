//! Images to tracked 3-D keypoints with the names of their objects.

mod config;
mod node;
mod notices;
mod sight;

use std::process::ExitCode;

use tiller_node_kit::{Environment, Standing, run_node, step_back};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(Environment::process())?;
        step_back(Standing::Thinks);
        node::run(&settings, inbox, outbox)
    })
}
