//! The helper that `dora replay` looks for: sends a recorded node's messages again, in its name.

mod playback;
mod settings;

use std::process::ExitCode;

use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(&[], |inbox, outbox| {
        let settings = settings::Settings::read(Environment::process())?;
        playback::run(&settings, inbox, outbox)
    })
}
