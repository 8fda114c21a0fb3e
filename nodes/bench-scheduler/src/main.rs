//! Gives a benchmark's episodes to workers, and their lines to whoever waits for them.

mod client;
mod node;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(&[], |inbox, outbox| {
        let mut env = Environment::process();
        let socket = env.required(
            "SOCKET",
            "where `tiller bench --workers` waits for the lines",
        );
        let socket = env.finish(socket)?;
        node::run(socket.as_ref(), inbox, outbox)
    })
}
