//! The operator's way into a running dataflow: a socket, and a page in a browser.

mod node;
mod orders;
mod pictures;
mod request;
mod rewards;
mod settings;
mod socket;
mod view;
mod web;

use std::process::ExitCode;

use tiller_node_kit::run_node;

fn main() -> ExitCode {
    run_node(node::ESSENTIAL, |inbox, outbox| {
        let settings = settings::Settings::read(outbox.environment(Some("runs/latest"))?)?;
        node::run(&settings, inbox, outbox)
    })
}
