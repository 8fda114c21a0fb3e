//! What a node's panic shows, in a process of its own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::process::{Command, Stdio};

use tiller_node_kit::run_node;

/// Set in the process that panics.
const CHILD: &str = "PANICS_HERE";

#[test]
fn a_nodes_panic_hides_nothing_and_passes_for_no_other_event() {
    if std::env::var_os(CHILD).is_some() {
        // There is no dora: the start ends with an error, and what it has set up stays.
        let _ = run_node(&[], |_, _| Ok(()));
        panic!("the model says \u{1b}[2J\u{202e}\n ERROR all is lost");
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("a_nodes_panic_hides_nothing_and_passes_for_no_other_event")
        .env(CHILD, "yes")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ERROR this is a dora node"), "{said}");
    assert!(
        said.contains(": the model says \\u{1b}[2J\\u{202e}\n  |  ERROR all is lost\n"),
        "{said}"
    );
    let hidden = said
        .chars()
        .find(|&c| c != '\n' && tiller_core::is_hidden(c));
    assert_eq!(hidden, None, "{said}");
}
