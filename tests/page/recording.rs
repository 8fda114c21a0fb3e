//! The page on a recording: everything is shown, and nobody obeys. The recorded run has a dry plan, an operator's word
//! and a pause in it, and is decided again to the bit.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_replay::{Means, Stories, replay};
use tiller_vlm::Author;

use crate::browser::Browser;
use crate::common::{RECORDING, root, start_file, start_recorded, start_replayed};
use crate::operator::{address, approve, post, until};
use crate::{keep, opened, proposal_is};

const INSTRUCTION: &str = "press the button";

/// A recorded run that an operator approves and pauses.
fn record(folder: &Path) {
    let settings = [
        ("TILLER_INSTRUCTION", INSTRUCTION),
        ("TILLER_SEED", "3"),
        ("TILLER_APPROVAL", "required"),
        ("TILLER_CONSOLE_ADDRESS", "127.0.0.1:0"),
    ];
    let running = start_recorded(Path::new("dataflow.yml"), &settings, 300);
    let host = address(running.folder.path());
    let planned = until(&host, "a dry plan", |sections| {
        sections["dry"]["particles"].is_number()
    });
    assert_eq!(planned["arm"]["mode"], "ready", "nothing has moved");
    assert_eq!(planned["stage"], json!(null));
    approve(running.folder.path(), INSTRUCTION);
    let is = |mode| move |sections: &serde_json::Value| sections["arm"]["mode"] == mode;
    let order = |order| post(&host, &json!({ "ask": "order", "order": order }));
    until(&host, "motion", is("executing"));
    order("pause");
    until(&host, "a pause", is("paused"));
    thread::sleep(Duration::from_secs(1));
    order("resume");
    let run = running.end();
    assert!(run.status.success(), "{}", run.log);
    fs::copy(run.folder.path().join(RECORDING), folder.join(RECORDING)).unwrap();
}

/// All machines, told the same, answer the same; dry plans are made again as well.
fn assert_decided_again(recording: &Path) {
    let stories = Stories::read(recording, |_| {}).unwrap();
    let authors: [(&str, Arc<dyn Author>); 1] = [("playtable", Arc::new(EmbeddedAuthor))];
    let means = Means {
        here: root(),
        authors: &authors,
        exchanges: None,
    };
    let report = replay(&stories, &means, |_| {}).unwrap();
    let differing = report.machines.iter().map(|machine| machine.differing);
    assert_eq!(differing.sum::<u64>(), 0, "{report:#?}");
    for kind in ["dry_plans", "plans", "commands", "stage_decisions"] {
        let compared = report.compared.get(kind).copied().unwrap_or_default();
        assert!(compared.recorded > 0, "{kind}: {report:#?}");
        assert_eq!(compared.recorded, compared.same, "{kind}: {report:#?}");
    }
}

#[test]
fn a_recording_is_shown_as_one_and_nobody_obeys() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let recording = folder.path().join(RECORDING);
    assert_decided_again(&recording);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let browser = &mut browser;
    let settings = [
        ("TILLER_RECORDING", recording.to_str().unwrap()),
        ("TILLER_REPLAY_SPEED", "0.5"),
        ("TILLER_INSTRUCTION", INSTRUCTION),
        ("TILLER_APPROVAL", "required"),
        ("TILLER_CONSOLE_ADDRESS", "127.0.0.1:0"),
    ];
    let running = start_file(Path::new("dataflows/replay.yml"), &settings, 300);
    let tab = &opened(browser, &running);
    browser.wait(
        tab,
        "document.querySelector('#recording').textContent.startsWith('Recording run.drec')",
    );
    let is_hidden = |id: &str| format!("document.querySelector('#{id}').hidden");
    for id in ["stop", "pause", "arm"] {
        assert!(browser.value(tab, &is_hidden(id)) == true, "{id}");
    }
    browser.key(tab, "Escape");
    browser.wait(
        tab,
        "document.querySelector('#said').textContent.includes('recording')",
    );
    assert!(browser.value(tab, &is_hidden("order-state")) == true);
    let host = address(running.folder.path());
    for ask in [
        json!({ "ask": "order", "order": "stop" }),
        json!({ "ask": "say", "instruction": "open the drawer" }),
    ] {
        let answer = post(&host, &ask);
        assert!(answer.contains("recording"), "{ask}: {answer}");
        assert!(!answer.starts_with("HTTP/1.1 200"), "{ask}: {answer}");
    }
    // Whoever writes and plans does so now: the program waits for a word, and may be read, edited and tried.
    browser.wait(tab, &proposal_is("proposed"));
    browser.wait(
        tab,
        "document.querySelector('#program').textContent.includes('num_stages')",
    );
    browser.wait(
        tab,
        "document.querySelector('#before .cameras canvas')?.width > 0",
    );
    keep(browser, tab, "recording");
    running.stop();
    // However the replay was begun; programs are named from the recording's folder.
    let beside = tempfile::Builder::new()
        .suffix(".drec")
        .tempfile_in(root())
        .unwrap();
    fs::copy(&recording, beside.path()).unwrap();
    let settings = [("TILLER_CONSOLE_ADDRESS", "127.0.0.1:0")];
    let running = start_replayed(beside.path(), &settings, 300);
    let host = address(running.folder.path());
    let seen = until(&host, "a recording", |sections| {
        sections["recording"].is_string()
    });
    let name = beside.path().file_name().unwrap().to_str().unwrap();
    assert!(
        seen["recording"].as_str().unwrap().ends_with(name),
        "{seen}"
    );
    running.stop();
}
