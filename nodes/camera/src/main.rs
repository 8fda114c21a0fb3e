//! Real cameras, or recordings of them, in the place of a simulated world.

mod config;
mod frame;
mod health;
mod node;
mod sources;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = config::Settings::read(Environment::process())?;
        node::run(&settings, inbox, outbox)
    })
}
