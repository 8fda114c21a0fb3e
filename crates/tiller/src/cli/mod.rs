//! Arguments, and what they start.
//!
//! Standard output carries results only; progress and errors go to standard error. Exit codes:
//! 0 done, 1 the answer is no (a reward program with errors), 2 the command could not do its work.

mod bench;
mod bench_report;
mod calibrate;
mod console;
mod crew;
mod demos;
mod doctor;
mod export;
mod hand;
mod input;
mod models;
mod observe;
mod order;
mod policy;
mod processor;
mod replay;
mod reward;
mod sample;
mod say;
mod scene;
mod sim;
mod vlm;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use eyre::{Result, WrapErr};
use tiller_bench::Subject;
use tiller_core::{visible_block, visible_json};
use tiller_policy::find_bundle;

use crate::worlds::worlds;

/// Steers frozen robot policies at inference time.
///
/// Demonstrate, check rewards and measure in simulated worlds, all in one process and
/// with the same code as the dataflow's nodes. `cargo xtask demo` runs the dataflow itself.
#[derive(Debug, Parser)]
#[command(name = "tiller", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Arm(order::ArmArgs),
    Calibrate(Box<calibrate::CalibrateArgs>),
    Demos(demos::DemosArgs),
    Doctor(doctor::DoctorArgs),
    Export(export::ExportArgs),
    Models(models::ModelsArgs),
    Pause(order::PauseArgs),
    Policy(policy::PolicyArgs),
    Resume(order::ResumeArgs),
    Replay(replay::ReplayArgs),
    Reward(reward::RewardArgs),
    Bench(bench::BenchArgs),
    Observe(observe::ObserveArgs),
    Sample(Box<sample::SampleArgs>),
    Say(say::SayArgs),
    Sim(sim::SimArgs),
    Stop(order::StopArgs),
    Vlm(vlm::VlmArgs),
    Watch(watch::WatchArgs),
}

impl Cli {
    /// Does what the arguments say; the exit code is that of the process.
    ///
    /// # Errors
    /// When the work could not be done.
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Arm(args) => args.run(),
            Command::Calibrate(args) => args.run(),
            Command::Demos(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::Export(args) => args.run(),
            Command::Models(args) => args.run(),
            Command::Pause(args) => args.run(),
            Command::Policy(args) => args.run(),
            Command::Resume(args) => args.run(),
            Command::Replay(args) => args.run(),
            Command::Reward(args) => args.run(),
            Command::Bench(args) => args.run(),
            Command::Observe(args) => args.run(),
            Command::Sample(args) => args.run(),
            Command::Say(args) => args.run(),
            Command::Sim(args) => args.run(),
            Command::Stop(args) => args.run(),
            Command::Vlm(args) => args.run(),
            Command::Watch(args) => args.run(),
        }
    }
}

/// Writes a result to standard output; whatever it quotes is visible.
pub(crate) fn say(text: &str) -> Result<()> {
    put(&visible_block(text))
}

/// Writes a result as JSON to standard output: texts as they are, what they hide in escapes.
pub(crate) fn say_json(json: &str) -> Result<()> {
    put(&visible_json(json))
}

/// Writes to standard output what holds nothing hidden but our own colours. A closed pipe
/// (`tiller .. | head`) is no error.
pub(crate) fn put(text: &str) -> Result<()> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// A world by its name; without one the default.
fn find_world(name: Option<&str>) -> Result<Subject> {
    worlds()
        .find(name)
        .cloned()
        .wrap_err_with(|| format!("--world {}", name.unwrap_or_default()))
}

/// Threads to use when none were asked for: one a core.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The folder of a bundle, asked for by name or path.
fn find_policy(name: &str) -> Result<PathBuf> {
    let here = std::env::current_dir().wrap_err("there is no working directory")?;
    Ok(find_bundle(name, &here)?)
}
