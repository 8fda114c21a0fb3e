//! How a node starts and how it ends.

use std::process::ExitCode;

use dora_node_api::DoraNode;
use eyre::{Result, WrapErr};

use crate::{Inbox, Outbox, init_logs};

/// Runs a node: connects to dora, then calls `run`, and turns its error into one clear message
/// and a failing exit status.
///
/// Connecting comes first: a node that fails before it has connected takes the whole dataflow
/// down before any other node can say or keep anything. `run` therefore reads the settings.
pub fn run_node(
    essential: &'static [&'static str],
    run: impl FnOnce(&mut Inbox, &mut Outbox) -> Result<()>,
) -> ExitCode {
    init_logs();
    match connect(essential).and_then(|(mut inbox, mut outbox)| {
        let result = run(&mut inbox, &mut outbox);
        report_drops(&mut inbox);
        result
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", in_one_line(&error));
            ExitCode::FAILURE
        }
    }
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
