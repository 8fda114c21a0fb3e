//! A program of its own panics, for the hook belongs to a whole process.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::process::Command;

/// Set in the process that panics.
const CHILD: &str = "PANICS_HERE";

fn run(test: &str, backtrace: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1", test])
        .env(CHILD, "yes")
        .env("RUST_BACKTRACE", backtrace)
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn is_child() -> bool {
    let is_child = std::env::var_os(CHILD).is_some();
    if is_child {
        tiller_core::show_panics();
    }
    is_child
}

#[test]
fn what_a_model_wrote_is_shown() {
    if is_child() {
        let answer = String::from("\u{1b}]0;owned\u{7}\u{202e}x\n ERROR the key is");
        panic!("found {answer}");
    }
    let said = run("what_a_model_wrote_is_shown", "0");
    let line = said.lines().position(|line| line.contains("panicked at"));
    let lines: Vec<&str> = said.lines().skip(line.unwrap()).collect();
    assert!(lines[0].contains("tests/panics.rs:"), "{said}");
    assert!(
        lines[0].ends_with(r": found \u{1b}]0;owned\u{7}\u{202e}x"),
        "{said}"
    );
    assert_eq!(lines[1], "  |  ERROR the key is");
    assert!(lines[2].starts_with("note: RUST_BACKTRACE=1"), "{said}");
    let hidden = said
        .chars()
        .find(|&c| c != '\n' && tiller_core::is_hidden(c));
    assert_eq!(hidden, None, "{said}");
}

#[test]
fn an_unwrapped_error_and_a_value_that_is_no_text_are_told() {
    if is_child() {
        let thread = std::thread::Builder::new().name("b\u{9b}\nb".to_owned());
        let ended = thread.spawn(|| std::panic::panic_any(7_u8)).unwrap().join();
        assert!(ended.is_err());
        std::fs::read("\u{202e}/nowhere")
            .map_err(|_| "\u{202e}raw")
            .unwrap();
    }
    let said = run(
        "an_unwrapped_error_and_a_value_that_is_no_text_are_told",
        "1",
    );
    assert!(said.contains(r"thread 'b\u{9b}\nb' panicked at "), "{said}");
    assert!(said.contains(": no message\n"), "{said}");
    // `unwrap` writes it in Rust's own escapes already.
    assert!(said.contains(r#"`Err` value: "\u{202e}raw""#), "{said}");
    assert!(said.contains("panics::"), "a backtrace: {said}");
    let hidden = said
        .chars()
        .find(|&c| c != '\n' && tiller_core::is_hidden(c));
    assert_eq!(hidden, None, "{said}");
}
