//! How a node starts and how it ends.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use dora_node_api::DoraNode;
use eyre::{Result, WrapErr};

use crate::log::tell_last;
use crate::{Inbox, Outbox, init_logs};

/// Runs a node: connects to dora, then calls `run`, and turns its error into one clear message
/// and a failing exit status.
///
/// Panics are told with everything in them visible ([`tiller_core::show_panics`]).
///
/// Connecting comes first: a node that fails before it has connected takes the whole dataflow
/// down before any other node can say or keep anything. `run` therefore reads the settings.
///
/// dora hands every node the environment in which it was started itself. A node has no use for
/// the keys of models that may be there (`*_API_KEY`), and goes on without them; the one that asks
/// models is run by [`run_node_with_keys`].
pub fn run_node(
    essential: &'static [&'static str],
    run: impl FnOnce(&mut Inbox, &mut Outbox) -> Result<()>,
) -> ExitCode {
    tiller_core::show_panics();
    init_logs();
    drop_keys();
    run_connected(essential, run)
}

/// As [`run_node`], and the keys of models stay in the environment.
pub fn run_node_with_keys(
    essential: &'static [&'static str],
    run: impl FnOnce(&mut Inbox, &mut Outbox) -> Result<()>,
) -> ExitCode {
    tiller_core::show_panics();
    init_logs();
    run_connected(essential, run)
}

fn run_connected(
    essential: &'static [&'static str],
    run: impl FnOnce(&mut Inbox, &mut Outbox) -> Result<()>,
) -> ExitCode {
    match connect(essential).and_then(|(mut inbox, mut outbox)| {
        // A setting that nobody reads is a slip, and the run would not be the one that was meant.
        let unknown = tiller_core::unknown_variables_here();
        let result = unknown
            .finish(())
            .map_err(Into::into)
            .and_then(|()| run(&mut inbox, &mut outbox));
        report_drops(&mut inbox);
        result
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_last(&in_one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// Starts this program anew, under the same process number, without the keys of models. To take them
/// out of a running process's environment would leave them readable in `/proc`.
fn drop_keys() {
    let is_key = |name: &OsString| name.to_str().is_some_and(|name| name.ends_with("_API_KEY"));
    let keys: Vec<OsString> = std::env::vars_os()
        .filter(|(name, value)| is_key(name) && !value.is_empty())
        .map(|(name, _)| name)
        .collect();
    if keys.is_empty() {
        return;
    }
    let mut arguments = std::env::args_os();
    let mut command = match (std::env::current_exe(), arguments.next()) {
        (Ok(program), Some(name)) => {
            let mut command = Command::new(program);
            command.arg0(name);
            command
        }
        _ => return tracing::warn!("the keys of models stay in this process's environment"),
    };
    keys.iter().for_each(|key| {
        command.env_remove(key);
    });
    let error = command.args(arguments).exec();
    tracing::warn!("the keys of models stay in this process's environment: {error}");
}

/// An error with its causes, which dora's log then keeps together. A cause that the error quotes
/// already is not repeated.
fn in_one_line(error: &eyre::Report) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn connect(essential: &'static [&'static str]) -> Result<(Inbox, Outbox)> {
    let (node, events) = DoraNode::init_from_env()
        .wrap_err("this is a dora node: it is started by `dora run dataflow.yml`")?;
    Ok((Inbox::new(events, essential), Outbox::new(node)))
}

fn report_drops(inbox: &mut Inbox) {
    let dropped: Vec<_> = inbox
        .dropped()
        .iter()
        .map(|(input, count)| format!("{input} {count}"))
        .collect();
    if !dropped.is_empty() {
        tracing::debug!(
            "inputs superseded before they were read: {}",
            dropped.join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let cause = std::io::Error::other("no such file");
        let error = Err::<(), _>(cause)
            .wrap_err("no bundle: no such file")
            .wrap_err("cannot open");
        let text = in_one_line(&error.unwrap_err());
        assert_eq!(text, "cannot open: no bundle: no such file");
    }
}
