//! The real dataflow with a local HTTP server in the place of a vision-language model.
//!
//! The executables and the private `.venv` must exist: `cargo xtask test` prepares both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::{Run, run_dataflow};
use serde_json::Value;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::provider::Api;
use tiller_vlm_testing::{
    Act, Ending, Handler, Script, Server, is_advice, is_repair, streamed, threaded_with, write,
};

/// A distance for every point where one number is due.
const WRONG_SHAPE: &str = "```python\nnum_stages = 1\n# Stage 1: go\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[0], dim=-1)\n```";

/// Longest run, s of wall time.
const LIMIT_S: u32 = 240;

fn says(text: &str) -> Script {
    streamed(Api::OpenAi, text, Ending::Complete)
}

fn base_url(server: &Server) -> String {
    format!("http://{}/v1", server.address)
}

/// Runs `open the drawer` with a model at that address.
fn run_with(url: &str, more: &[(&str, &str)]) -> Run {
    let settings = [
        ("TILLER_INSTRUCTION", "open the drawer"),
        ("TILLER_SEED", "1"),
        ("TILLER_VLM_PROVIDER", "openai"),
        ("TILLER_VLM_MODEL", "test-model"),
        ("TILLER_VLM_BASE_URL", url),
    ];
    run_dataflow(&[&settings[..], more].concat(), LIMIT_S)
}

fn assert_success(run: &Run) -> Value {
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{summary:#}\n{}", run.log);
    assert!(run.status.success(), "{}", run.log);
    summary
}

/// No state is missing, and the actuator has nothing to say of commands that come late or do not fit.
fn assert_no_tick_missed(summary: &Value) {
    let control = &summary["control"];
    assert!(control["states"].as_u64() > Some(100), "{summary:#}");
    assert_eq!(control["missing"], 0, "{summary:#}");
    let safety = &summary["notices"]["safety"];
    assert_eq!(safety, &serde_json::json!({}), "{summary:#}");
}

fn records(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("exchanges")).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".json")).collect();
    names.sort();
    names
}

#[test]
fn a_wrong_shape_is_repaired_and_the_recording_replays_without_a_network() {
    let handler: Arc<Handler> = Arc::new(|_, request: &str| match is_repair(request) {
        false => says(WRONG_SHAPE),
        true => says(&write(request, &EmbeddedAuthor)),
    });
    let (server, stop) = threaded_with(handler);
    let run = run_with(&base_url(&server), &[("TILLER_VLM_ADVICE", "off")]);
    let summary = assert_success(&run);
    assert_eq!(summary["program_source"], "openai/test-model");
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "{}", run.log);
    assert!(!is_repair(&requests[0]) && is_repair(&requests[1]));
    assert!(requests[0].contains("data:image/png;base64,"));
    assert!(requests[0].contains("The table is at z = 0."));
    let recorded = records(run.folder.path());
    assert_eq!(recorded, ["0001-reward.json", "0002-repair.json"]);

    drop((server, stop));
    let answers = run.folder.path().join("exchanges");
    let replayed = run_dataflow(
        &[
            ("TILLER_INSTRUCTION", "open the drawer"),
            ("TILLER_SEED", "1"),
            ("TILLER_VLM_PROVIDER", "files"),
            ("TILLER_VLM_ANSWERS", answers.to_str().unwrap()),
        ],
        LIMIT_S,
    );
    assert_success(&replayed);
    let program = |run: &Run| fs::read_to_string(run.folder.path().join("program.py")).unwrap();
    assert_eq!(program(&run), program(&replayed));
}

#[test]
fn with_the_server_down_the_fallback_happens() {
    let (server, stop) = threaded_with(Arc::new(|_, _: &str| Script::new()));
    let url = base_url(&server);
    drop((server, stop));
    let run = run_with(&url, &[]);
    let summary = assert_success(&run);
    assert_eq!(summary["program_source"], "embedded");
    assert_eq!(summary["notices"]["warnings"]["fallback_embedded"], 1);

    let held = run_with(&url, &[("TILLER_VLM_FALLBACK", "hold")]);
    assert!(!held.status.success(), "{}", held.log);
    let summary = held.summary();
    assert_eq!(summary["outcome"], "refused");
    assert_eq!(summary["motion"]["chunks"], 0);
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.starts_with("fallback_hold: unreachable"), "{reason}");
}

#[test]
fn a_server_that_hangs_costs_no_control_tick() {
    let (server, _stop) = threaded_with(Arc::new(|_, _: &str| vec![Act::Hang]));
    let run = run_with(
        &base_url(&server),
        &[
            ("TILLER_VLM_FIRST_BYTE_TIMEOUT_S", "5"),
            ("TILLER_VLM_TOTAL_TIMEOUT_S", "5"),
        ],
    );
    let summary = assert_success(&run);
    assert_eq!(summary["program_source"], "embedded");
    assert_eq!(summary["notices"]["warnings"]["fallback_embedded"], 1);
    assert_no_tick_missed(&summary);
}

/// Whoever sets nothing but the model: the embedded author takes over while there is time left for
/// the episode, and the summary says who was waited for and how long.
#[test]
fn with_default_settings_a_model_that_hangs_costs_no_episode() {
    let (server, _stop) = threaded_with(Arc::new(|_, _: &str| vec![Act::Hang]));
    let run = run_with(&base_url(&server), &[]);
    let summary = assert_success(&run);
    assert_eq!(summary["program_source"], "embedded");
    let waited = summary["waited"].as_array().unwrap();
    let [Value::String(wait)] = waited.as_slice() else {
        panic!("{waited:?}");
    };
    let (seconds, rest) = wait.split_once(" s for a program by ").unwrap();
    let seconds: f64 = seconds.parse().unwrap();
    assert!((25.0..27.0).contains(&seconds), "{wait}");
    assert_eq!(
        rest,
        "`openai/test-model`: fallback_embedded after timeout_total"
    );
    assert_no_tick_missed(&summary);
}

/// The first stage never ends by itself. Advice on its first visit never comes; when the visit has
/// timed out and the second one drags on as well, advice comes at once.
#[test]
fn advice_that_hangs_is_dropped_and_advice_in_time_is_taken() {
    // A stage that is never done is doubted once, so the program is asked for twice (0 and 1).
    let handler: Arc<Handler> =
        Arc::new(|number, request: &str| match (is_advice(request), number) {
            (false, _) => says(&never_done(&write(request, &EmbeddedAuthor))),
            (true, 2) => vec![Act::Hang],
            (true, 3) => says("{\"stage\": 2, \"reason\": \"the hand is above the gap\"}"),
            (true, _) => says("I cannot tell."),
        });
    let (server, _stop) = threaded_with(handler);
    let run = run_with(&base_url(&server), &[]);
    let summary = assert_success(&run);
    let warnings = &summary["notices"]["warnings"];
    assert_eq!(warnings["advice_late"], 1, "{summary:#}\n{}", run.log);
    let decisions = summary["decisions"].as_array().unwrap();
    let reasons: Vec<_> = decisions
        .iter()
        .filter_map(|d| d["reason"].as_str())
        .collect();
    let taken = "advice: the hand is above the gap";
    assert!(reasons.contains(&taken), "{reasons:?}");
    assert_no_tick_missed(&summary);
}

/// The program with a first stage that is never done.
fn never_done(program: &str) -> String {
    let head = "def stage1_done(keypoints, start_keypoints, end_effector):\n";
    let (before, rest) = program.split_once(head).unwrap();
    let end = rest.find("\n\n").unwrap();
    format!(
        "{before}{head}    return torch.tensor(-1.0){}",
        &rest[end..]
    )
}
