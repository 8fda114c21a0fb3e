//! Observation, reward and stage to action chunks.

mod cameras;
mod config;
mod node;
mod planning;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(Environment::process())?;
        let (bundle, policy) = settings.open_policy()?;
        node::run(&settings, &bundle, policy, inbox, outbox)
    })
}
