//! `tiller stop`, `resume` and `arm` against a console that the tests play.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

/// A console that answers each request as `answer` says: by its number and its line; `None` keeps the
/// client waiting until it gives up.
struct Console {
    folder: TempDir,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Console {
    fn new(answer: impl Fn(usize, &str) -> Option<&'static str> + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("console.sock")).unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let lines = Arc::clone(&heard);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let line = read(&stream);
                lines.lock().unwrap().push(line.clone());
                match answer(number, &line) {
                    // A client that has hung up has what it wanted.
                    Some(answer) => drop(stream.write_all(answer.as_bytes())),
                    None => drop(read(&stream)),
                }
            }
        });
        Self { folder, heard }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiller"));
        command
            .args(arguments)
            .arg("--run-dir")
            .arg(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Orders so far: who waits for keys also looks every second.
    fn heard(&self) -> Vec<String> {
        let lines = self.heard.lock().unwrap();
        lines.iter().filter(|line| *line != LOOK).cloned().collect()
    }
}

fn read(stream: &UnixStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const STOP: &str = r#"{"order":"stop"}"#;
const LOOK: &str = r#"{"order":"look"}"#;
const STOPPED: &str = "{\"order\": 7, \"taken_ms\": 5.0, \"mode\": \"stopping\"}\n\
                       {\"order\": 7, \"rest_ms\": 290.0, \"mode\": \"stopped\"}\n";

#[test]
fn a_stop_that_is_not_acknowledged_is_told_and_sent_again() {
    let console = Console::new(|number, _| (number == 1).then_some(STOPPED));
    let output = console.run(&["stop"]);
    let text = out(&output);
    assert!(output.status.success(), "{text}{}", err(&output));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("NOT acknowledged after "), "{text}");
    assert!(lines[1].starts_with("stop taken after "), "{text}");
    assert!(
        lines[2].starts_with("at rest after ") && lines[2].ends_with("is stopped"),
        "{text}"
    );
    assert_eq!(console.heard(), [STOP, STOP]);
}

#[test]
fn a_stop_tells_machines_what_happened() {
    let console = Console::new(|_, _| Some(STOPPED));
    let output = console.run(&["stop", "--json"]);
    let lines: Vec<serde_json::Value> = out(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines[0]["mode"].as_str(), lines[0]["tries"].as_u64()),
        (Some("stopping"), Some(1))
    );
    assert!(lines[1]["rest_ms"].as_f64() >= lines[0]["taken_ms"].as_f64());
}

/// A client in the foreground, to whose standard input keys are sent.
fn at_the_key(console: &Console) -> Child {
    console
        .command(&["stop", "--key"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn any_key_stops_and_the_end_of_them_ends() {
    let console = Console::new(|_, line| {
        Some(if line == STOP {
            STOPPED
        } else {
            "{\"mode\": \"executing\"}\n"
        })
    });
    let mut child = at_the_key(&console);
    let mut keys = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("any key stops"));
    // It looks before anything is pressed, and says what it found.
    assert_eq!(next(), "connected: the arm is executing");
    keys.write_all(b" ").unwrap();
    assert!(next().starts_with("stop taken after "));
    assert!(next().starts_with("at rest after "));
    drop(keys);
    assert!(child.wait().unwrap().success());
    assert_eq!(console.heard(), [STOP]);
}

#[test]
fn a_key_that_would_do_nothing_is_told_before_it_is_pressed() {
    let console = Console::new(|_, _| Some("{\"error\": \"the actuator says nothing\"}\n"));
    let mut child = at_the_key(&console);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told: Vec<String> = lines.by_ref().take(2).map(Result::unwrap).collect();
    assert!(told[1].contains("would NOT stop the arm") && told[1].contains("says nothing"));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(console.heard(), [""; 0]);
}

#[test]
fn an_order_is_taken_or_refused_with_the_reason() {
    let console = Console::new(|number, _| {
        Some(match number {
            0 => "{\"order\": 1, \"taken_ms\": 6.4, \"mode\": \"ready\"}\n",
            _ => {
                "{\"order\": 2, \"taken_ms\": 3.0, \"mode\": \"stopped\", \"refused\": \"it was stopped\"}\n"
            }
        })
    });
    let output = console.run(&["arm"]);
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(out(&output).trim(), "taken after 6 ms; the arm is ready");
    let output = console.run(&["arm"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("the actuator does not arm: it was stopped"),
        "{}",
        err(&output)
    );
    let arm = r#"{"order":"arm"}"#;
    assert_eq!(console.heard(), [arm, arm]);
}

#[test]
fn without_a_dataflow_it_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tiller"))
        .args(["resume", "--run-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("console.sock"), "{}", err(&output));
}
