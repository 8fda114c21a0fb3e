//! `cargo xtask`: everything between a fresh clone and a moving robot.

mod checks;
mod demo;
mod group;
mod lint;
mod process;
mod setup;
mod start_up;
#[cfg(test)]
mod start_up_tests;
mod viewer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Prepares, runs and tests Tiller. Needs a Rust toolchain and Python 3.11 or newer; fetches the
/// rest (dora, ONNX Runtime, MuJoCo) into a private `.venv` in this folder.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch the pinned wheels into `.venv` and link the native libraries (demo and test do it too).
    Setup,
    /// Build everything and run a dataflow, `dataflow.yml` by default, for one instruction in simulation.
    ///
    /// Exits with 0 only if the simulator's task oracle says that the task succeeded. The pictures,
    /// the reward program and a summary are left in a folder under `runs/`.
    Demo(demo::DemoArgs),
    /// Set up, check formatting and lints, build, and run every test.
    Test(checks::TestArgs),
    /// Build the viewer, which the default build leaves out: it brings Rerun.
    Viewer(viewer::ViewerArgs),
}

fn main() -> ExitCode {
    tiller_core::show_panics();
    let outcome = match lint::compiler_call() {
        Some(call) => lint::lint(&call),
        None => match Cli::parse().command {
            Command::Setup => setup::prepare().map(|_| true),
            Command::Demo(args) => demo::run(&args),
            Command::Test(args) => checks::run(&args).map(|()| true),
            Command::Viewer(args) => viewer::run(&args).map(|()| true),
        },
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(report) => {
            process::say_error(&report);
            ExitCode::FAILURE
        }
    }
}
