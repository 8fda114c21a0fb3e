//! Observation, reward and stage to action chunks.

mod config;
mod guide;
mod node;
mod planner;
mod schedule;
mod senses;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(Environment::process())?;
        let policy = settings.open_policy()?;
        node::run(&settings, policy, inbox, outbox)
    })
}
