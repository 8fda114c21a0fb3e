//! Executes action chunks on an arm, within its limits.

mod arms;
mod config;
mod driven;
mod lockstep;
mod node;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(Environment::process())?;
        node::run(settings, inbox, outbox)
    })
}
