//! Executes action chunks on an arm, within its limits.

use std::process::ExitCode;

use franka_actuator::{ESSENTIAL, Settings, run};
use tiller_node_kit::{Environment, run_node};

fn main() -> ExitCode {
    run_node(ESSENTIAL, |inbox, outbox| {
        let settings = Settings::read(Environment::process())?;
        run(settings, inbox, outbox)
    })
}
