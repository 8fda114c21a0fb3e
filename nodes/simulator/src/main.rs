//! Shows one of the registered worlds to a dataflow.

mod worlds;

use std::process::ExitCode;

use simulator::{ESSENTIAL, Settings, run};
use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(ESSENTIAL, |inbox, outbox| {
        let settings = Settings::read(Environment::process(), &worlds::worlds())?;
        run(&settings, inbox, outbox)
    })
}
