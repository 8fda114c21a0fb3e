//! Running other programs, with errors that a newcomer can act on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use eyre::{Result, WrapErr, bail};
use tiller_core::visible_under;

/// Stands before further lines of a message.
const MARGIN: &str = "[tiller]   ";

/// The workspace root; xtask lives one folder below it.
pub(crate) fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_path_buf()
}

/// Runs a command whose output the person should see; fails unless it exits with 0.
pub(crate) fn run_visible(command: &mut Command) -> Result<()> {
    let name = display(command);
    let status = command
        .status()
        .wrap_err_with(|| format!("could not start `{name}`"))?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    Ok(())
}

/// Runs a command quietly and returns what it printed, whether or not it succeeded.
pub(crate) fn run_captured(command: &mut Command) -> Result<Output> {
    let name = display(command);
    command
        .output()
        .wrap_err_with(|| format!("could not start `{name}`"))
}

/// One line of progress, with everything in it visible.
pub(crate) fn say(text: &str) {
    eprintln!("[tiller] {}", visible_under(text, MARGIN));
}

/// An error with all its causes, outermost first.
pub(crate) fn say_error(report: &eyre::Report) {
    say(&format!("error: {report}"));
    for cause in report.chain().skip(1) {
        say(&format!("  because: {cause}"));
    }
}

fn display(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
