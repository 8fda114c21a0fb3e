use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::rc::Rc;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;
use tiller_core::MAX_INSTRUCTION;
use tiller_messages::{ExecutionMode, Status};
use tiller_node_kit::testing::{Script, Sent, Trial, message_damages};
use tiller_page::TaskList;

use super::*;
use crate::settings::Place;
use crate::socket::MAX_LINE;

mod page;

/// A client that waits until somebody listens.
fn connect(folder: &Path) -> UnixStream {
    let path = folder.join("console.sock");
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        match UnixStream::connect(&path) {
            Ok(stream) => return stream,
            Err(error) if std::time::Instant::now() > deadline => panic!("{error}"),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn ask(folder: &Path, line: &str) -> Value {
    let mut stream = connect(folder);
    writeln!(stream, "{line}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// A folder, and no page.
fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        place: Place::Off,
        between_pictures: Duration::from_millis(100),
        tasks: TaskList::default(),
        evaluation: folder.join("evaluation.jsonl"),
    }
}

/// Runs the node until a client has done something.
fn with_client<T: Send + 'static>(
    client: impl FnOnce(&Path) -> T + Send + 'static,
) -> (T, Sent, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let client = Rc::new(thread::spawn(move || client(&path)));
    let watched = Rc::clone(&client);
    let (result, sent) = Script::new(ESSENTIAL)
        .message("task_status", &TaskStatus::default())
        .until("task_status", move |_| watched.is_finished())
        .pause("task_status", 0.2)
        .closed("task_status")
        .run(|inbox, outbox| run(&settings(folder.path()), inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    let client = Rc::into_inner(client).expect("the script is over");
    (client.join().unwrap(), sent, folder)
}

fn episodes(sent: &Sent) -> Vec<Episode> {
    sent.messages("episode").unwrap()
}

#[test]
fn what_is_said_becomes_an_episode_and_the_socket_goes_with_the_run() {
    let (answer, sent, folder) =
        with_client(|folder| ask(folder, r#"{"say": "open the drawer", "seed": 4}"#));
    let episodes = episodes(&sent);
    assert_eq!(episodes.len(), 1);
    assert_eq!(episodes[0].instruction, "open the drawer");
    assert_eq!((episodes[0].seed, episodes[0].seq), (4, 1));
    assert_eq!(answer["episode"], episodes[0].id.0);
    let statuses = sent.messages::<Status>("status").unwrap();
    assert_eq!(statuses[0].code, "said");
    assert!(statuses[0].text.contains("`open the drawer`"));
    assert!(!folder.path().join("console.sock").exists());
}

#[test]
fn orders_go_out_by_their_names_and_are_answered_once_the_actuator_has_taken_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let client = thread::spawn(move || {
        let mut stream = connect(&path);
        writeln!(stream, r#"{{"order": "stop"}}"#).unwrap();
        let lines = BufReader::new(stream).lines();
        lines
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect::<Vec<Value>>()
    });
    // What the actuator tells while the order is on its way, when it is taken, and at rest: its number
    // is not known beforehand.
    let state = |seq: u64, order, mode| ExecutionState {
        seq,
        order,
        mode,
        ..Default::default()
    };
    let modes = [
        (0, ExecutionMode::Executing),
        (u64::MAX, ExecutionMode::Stopping),
        (u64::MAX, ExecutionMode::Stopped),
    ];
    let mut script = Script::new(ESSENTIAL).gap(0.01);
    for seq in 1..=300 {
        let (order, mode) = modes[usize::try_from((seq - 1) / 100).unwrap()];
        script = script.message("execution_state", &state(seq, order, mode));
    }
    let (result, sent) = script
        .wired(&["task_status"])
        .stop()
        .run(|inbox, outbox| run(&settings(folder.path()), inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    let lines = client.join().unwrap();
    let orders = sent.messages::<Order>("stop").unwrap();
    assert_eq!(orders.len(), 1);
    assert!(orders[0].reason.contains("tiller stop"));
    assert_eq!(lines[0]["order"], orders[0].id);
    assert!(lines[0]["taken_ms"].is_f64(), "{lines:?}");
    assert_eq!(lines[1]["mode"], "stopped");
    assert!(lines[1]["rest_ms"].as_f64() >= lines[0]["taken_ms"].as_f64());
    assert_eq!(lines.len(), 2);
}

#[test]
fn an_actuator_that_says_nothing_is_told() {
    let (answer, ..) = with_client(|folder| ask(folder, r#"{"order": "look"}"#));
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("says nothing"), "{error}");
}

#[test]
fn each_instruction_begins_a_later_episode() {
    let (answers, sent, _) = with_client(|folder| {
        ["open the drawer", "close the drawer", "push the red block"]
            .map(|text| ask(folder, &format!(r#"{{"say": "{text}"}}"#)))
    });
    let episodes = episodes(&sent);
    let told: Vec<_> = episodes.iter().map(|e| Some(e.id.0)).collect();
    assert_eq!(
        answers.map(|answer| answer["episode"].as_u64()).to_vec(),
        told
    );
    assert!(episodes.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(episodes[2].instruction, "push the red block");
}

#[test]
fn nonsense_is_refused_with_what_is_expected_and_begins_nothing() {
    let (answers, sent, _) = with_client(|folder| {
        let long = format!(r#"{{"say": "{}"}}"#, "a".repeat(MAX_INSTRUCTION + 1));
        let endless = "x".repeat(2 * MAX_LINE as usize);
        [
            ask(folder, "nonsense"),
            ask(folder, r#"{"say": ""}"#),
            ask(folder, r#"{"say": "open it", "run": "rm"}"#),
            ask(folder, &long),
            ask(folder, &endless),
        ]
    });
    for answer in answers {
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains("expected"), "{error}");
        assert!(error.len() < 300, "{error}");
    }
    assert_eq!(sent.order(), [""; 0]);
}

#[test]
fn a_client_that_says_nothing_or_goes_keeps_nobody_waiting() {
    let (answer, sent, _) = with_client(|folder| {
        let silent = connect(folder);
        drop(connect(folder));
        let mut gone = connect(folder);
        writeln!(gone, r#"{{"say": "open the drawer"}}"#).unwrap();
        drop(gone);
        let answer = ask(folder, r#"{"say": "close the drawer"}"#);
        drop(silent);
        answer
    });
    let said: Vec<_> = episodes(&sent).into_iter().map(|e| e.instruction).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.contains(&"open the drawer".to_owned()), "{said:?}");
    assert!(answer["episode"].is_u64(), "{answer}");
}

#[test]
fn only_its_user_can_open_the_socket() {
    let (mode, ..) = with_client(|folder| {
        let _listening = connect(folder);
        let path = folder.join("console.sock");
        // Made so before anybody is answered.
        ask(folder, "");
        fs::metadata(path).unwrap().permissions().mode()
    });
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_a_killed_run_has_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let left = UnixListener::bind(folder.path().join("console.sock")).unwrap();
    drop(left);
    let (result, _) = Script::new(ESSENTIAL)
        .closed("task_status")
        .run(|inbox, outbox| run(&settings(folder.path()), inbox, outbox))
        .expect("the harness works");
    result.unwrap();
}

#[test]
fn damaged_verdicts_are_named_and_end_nothing() {
    let verdict = |seq| TaskStatus {
        seq,
        tasks: vec!["drawer_open".into()],
        ..Default::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let texts = |sent: &Sent| -> Vec<String> {
        let statuses = sent.messages::<Status>("status").unwrap().into_iter();
        statuses.map(|status| status.text).collect()
    };
    let trial = Trial {
        input: "task_status",
        before: &|| {
            let script = Script::new(ESSENTIAL).gap(0.003);
            script.message("task_status", &verdict(2))
        },
        after: &|script| {
            script
                .message("task_status", &verdict(4))
                .closed("task_status")
        },
        drive: &|script| {
            script
                .run(|inbox, outbox| run(&settings(folder.path()), inbox, outbox))
                .expect("the harness works")
        },
        texts: &texts,
        accepted: &|sent| match texts(sent).len() {
            0 | 1 => Ok(()),
            found => Err(format!("{found} statuses")),
        },
    };
    let faults = trial.faults(&message_damages(&verdict(2), &verdict(3)));
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn an_input_that_nobody_reads_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (result, _) = Script::new(ESSENTIAL)
        .wired(&["depth"])
        .closed("task_status")
        .run(|inbox, outbox| run(&settings(folder.path()), inbox, outbox))
        .expect("the harness works");
    let error = result.unwrap_err().to_string();
    assert!(error.ends_with("found `depth`"), "{error}");
}
