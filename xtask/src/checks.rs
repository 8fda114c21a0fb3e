//! `cargo xtask test`: formatting, lints, build and every test.

use std::process::Command;
use std::time::Instant;

use clap::Args;
use eyre::Result;

use crate::lint;
use crate::process::{run_visible, say};
use crate::setup::{self, Environment};

/// How long the database of advisories may take to come, s.
const DATABASE_LIMIT_S: &str = "60";

#[derive(Args)]
pub(crate) struct TestArgs {
    /// Skip `cargo fmt --check`, `deny.toml` and clippy.
    #[arg(long)]
    no_lint: bool,
    /// Passed on to `cargo test`, for instance a test's name.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs the steps in the order in which they fail fastest; the first failure ends the run.
pub(crate) fn run(args: &TestArgs) -> Result<()> {
    // The build may put a new file in its place while this one runs.
    let xtask = std::env::current_exe()?;
    let environment = setup::prepare()?;
    setup::prepare_checks(&environment)?;
    let begin = Instant::now();
    if !args.no_lint {
        step(
            "formatting",
            cargo(&environment, &["fmt", "--all", "--check"]),
        )?;
        let mut deny = environment.command("cargo-deny");
        deny.args(["--workspace", "check", "licenses", "bans", "sources"]);
        step("licences, duplicates and sources", deny)?;
        advisories(&environment)?;
    }
    // The end-to-end tests start the nodes' executables, so these are built first.
    step(
        "build",
        cargo(&environment, &["build", "--release", "--workspace"]),
    )?;
    let mut test = cargo(&environment, &["test", "--release", "--workspace"]);
    test.args(&args.rest);
    step("tests", test)?;
    // After cargo's, which build what the bridges' ones drive.
    let mut test = environment.command("python3");
    test.args(["-m", "unittest", "discover", "-s", "tests", "-t", "."]);
    test.current_dir(environment.root.join("nodes/bridge"));
    step("tests of the bridges", test)?;
    if !args.no_lint {
        let all = ["build", "--release", "--workspace", "--all-targets"];
        let mut lints = cargo(&environment, &all);
        lint::instead_of_compiling(&mut lints, &xtask);
        step("lints", lints)?;
        // Neither a GPU nor a camera is needed to see that what runs on one still compiles.
        let mut lints = cargo(&environment, &all);
        let features = "tiller-policy/cuda,camera/v4l2";
        lint::instead_of_compiling(lints.args(["--features", features]), &xtask);
        step("lints for CUDA and V4L2", lints)?;
    }
    say(&format!(
        "all checks passed in {} s",
        begin.elapsed().as_secs()
    ));
    Ok(())
}

/// Known faults of dependencies, where their database can be reached; a machine without a network
/// says that it did not look.
fn advisories(environment: &Environment) -> Result<()> {
    let mut fetch = environment.command("timeout");
    fetch.args([DATABASE_LIMIT_S, "cargo-deny", "fetch", "db"]);
    if !fetch.output()?.status.success() {
        say("advisories: not checked, for their database cannot be reached");
        return Ok(());
    }
    let mut deny = environment.command("cargo-deny");
    deny.args(["--offline", "--workspace", "check", "advisories"]);
    step("advisories", deny)
}

fn cargo(environment: &Environment, arguments: &[&str]) -> Command {
    let mut command = environment.command("cargo");
    command.args(arguments);
    command
}

fn step(name: &str, mut command: Command) -> Result<()> {
    say(name);
    let begin = Instant::now();
    run_visible(&mut command)?;
    say(&format!("{name}: done in {} s", begin.elapsed().as_secs()));
    Ok(())
}
