//! `tiller vlm` against a local server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::provider::Api;
use tiller_vlm_testing::{
    Ending, KEY, Script, is_repair, json_response, response, streamed, threaded, threaded_with,
    whole, write,
};

const WRONG: &str = "```python\nnum_stages = 1\n# Stage 1: go\ndef stage1_guidance(keypoints, action_sequence):\n    return keypoints[7]\n```";

fn tiller(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tiller"));
    for (name, _) in std::env::vars() {
        if name.starts_with("TILLER_VLM_") || name.ends_with("_API_KEY") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn all(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

fn says(text: &str) -> Script {
    streamed(Api::OpenAi, text, Ending::Complete)
}

/// A picture and keypoints in a folder.
fn scene(folder: &Path) -> [String; 2] {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let [picture, keypoints] = [path("annotated.png"), path("scene.json")];
    image::RgbImage::new(64, 64).save(&picture).unwrap();
    let scene = json!({"keypoints": [[0.58, -0.3, 0.06]], "names": ["drawer handle"]});
    std::fs::write(&keypoints, scene.to_string()).unwrap();
    [picture, keypoints]
}

fn ask(more: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let [picture, keypoints] = scene(folder.path());
    let own = [
        "vlm",
        "ask",
        "--image",
        &picture,
        "--keypoints",
        &keypoints,
        "--instruction",
        "open the drawer",
    ];
    tiller(&[&own[..], more].concat(), variables)
}

#[test]
fn a_question_is_answered_mended_and_paid() {
    let (server, _stop) = threaded_with(Arc::new(|_, request: &str| match is_repair(request) {
        false => says(WRONG),
        true => says(&write(request, &EmbeddedAuthor)),
    }));
    let url = format!("http://{}/v1", server.address);
    let remote = [
        "--provider",
        "openai",
        "--model",
        "test-model",
        "--base-url",
        &url,
        "--output-price",
        "1000000",
    ];
    let key = [("OPENAI_API_KEY", KEY)];
    let words = ask(&remote, &key);
    let text = all(&words);
    assert_eq!(code(&words), 0, "{text}");
    for part in [
        "answer 2 of openai/test-model",
        "11 + 22 tokens",
        "def stage1_done",
        "44.0000 USD",
        "ok (repaired): 3 stages",
    ] {
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    }
    assert!(!text.contains(KEY));

    let output = ask(&[&remote[..], &["--json"]].concat(), &key);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["ok"], true);
    assert_eq!(found["status"], "repaired");
    assert_eq!(found["exchanges"][1]["purpose"], "repair");
    assert!(!found["exchanges"][0]["diagnostics"].is_null());
    assert_eq!(found["cost_usd"], 44.0);
    assert_eq!(found["stages"].as_array().unwrap().len(), 3);

    let once = ask(&[&remote[..], &["--max-repairs", "0"]].concat(), &key);
    assert_eq!(code(&once), 1, "{}", all(&once));
    assert!(all(&once).contains("no program"));
}

/// The first character that hides something or steers a terminal.
fn hidden(output: &Output) -> Option<char> {
    let text = all(output);
    let is_break = |c| matches!(c, '\n' | '\t');
    text.chars()
        .find(|&c| !is_break(c) && tiller_core::is_hidden(c))
}

#[test]
fn nothing_that_a_model_or_a_server_says_is_hidden() {
    const HIDDEN: &str = "\u{1b}[2J\u{202e}\u{9b}31m\u{200b}\u{e0041}\u{7}";
    let program = "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    \
        return -(action_sequence[:, -1] - keypoints[0]).norm(dim=-1).mean()\n";
    let answer = format!("{HIDDEN}\n```python\n# Stage 1: {HIDDEN}go\n{program}```\n{HIDDEN}");
    let wrong = answer.replace("keypoints[0]", "keypoints[7]");
    let body = move |request: &str| {
        let mut body = whole(
            Api::OpenAi,
            if is_repair(request) { &answer } else { &wrong },
            Ending::Complete,
        );
        body["model"] = json!(format!("{HIDDEN}model"));
        json_response(body.to_string())
    };
    let (server, _stop) = threaded_with(Arc::new(move |_, request: &str| body(request)));
    let url = format!("http://{}/v1", server.address);
    let remote = ["--provider", "openai", "--model", "m", "--base-url", &url];
    let key = [("OPENAI_API_KEY", KEY)];
    let words = ask(&remote, &key);
    assert_eq!((code(&words), hidden(&words)), (0, None), "{}", all(&words));
    assert!(all(&words).contains(r"\u{1b}[2J\u{202e}\u{9b}31m\u{200b}\u{e0041}\u{7}"));
    let json = ask(&[&remote[..], &["--json"]].concat(), &key);
    assert_eq!((code(&json), hidden(&json)), (0, None), "{}", all(&json));
    let found: Value = serde_json::from_slice(&json.stdout).unwrap();
    let kept = found["exchanges"][0]["answer"].as_str().unwrap();
    assert!(kept.starts_with(HIDDEN), "{kept:?}");

    let error = json!({"error": {"message": format!("{HIDDEN}no\nok    key")}}).to_string();
    for body in [error, format!("<html>{}</html>", HIDDEN.repeat(5000))] {
        let script = move |_: usize, _: &str| response("400 Bad Request", "", &body);
        let (server, _stop) = threaded_with(Arc::new(script));
        let url = format!("http://{}/v1", server.address);
        let doctor = [
            "vlm",
            "doctor",
            "--provider",
            "openai",
            "--model",
            "m",
            "--base-url",
            &url,
        ];
        for output in [
            tiller(&doctor, &key),
            ask(&[&remote[..4], &["--base-url", &url]].concat(), &key),
        ] {
            assert_eq!(hidden(&output), None, "{}", all(&output));
            assert!(all(&output).contains(r"\u{202e}"), "{}", all(&output));
            assert!(all(&output).len() < 8000, "{}", all(&output));
            assert!(!all(&output).contains("\nok    key"), "{}", all(&output));
        }
    }
}

#[test]
fn the_embedded_author_answers_without_a_network() {
    let output = ask(&[], &[]);
    assert_eq!(code(&output), 0, "{}", all(&output));
    assert!(all(&output).contains("def stage1_guidance("));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let nobody = ask(&[], &[("TILLER_VLM_PROVIDER", "oracle")]);
    assert_eq!(code(&nobody), 2);
    assert!(
        all(&nobody).contains("TILLER_VLM_PROVIDER"),
        "{}",
        all(&nobody)
    );
    let keyless = ask(&["--provider", "anthropic", "--model", "m"], &[]);
    assert_eq!(code(&keyless), 2);
    assert!(
        all(&keyless).contains("ANTHROPIC_API_KEY"),
        "{}",
        all(&keyless)
    );
    let (server, _stop) = threaded(vec![response("401 Unauthorized", "", "")]);
    let url = format!("http://{}/v1", server.address);
    let variables = [
        ("TILLER_VLM_PROVIDER", "openai"),
        ("TILLER_VLM_MODEL", "test-model"),
        ("TILLER_VLM_BASE_URL", url.as_str()),
    ];
    let barred = ask(&[], &variables);
    assert_eq!(code(&barred), 2);
    assert!(all(&barred).contains("unauthorised"), "{}", all(&barred));
}

fn doctor(scripts: Vec<Script>) -> (i32, Value, Value) {
    let (server, _stop) = threaded(scripts);
    let url = format!("http://{}/v1", server.address);
    let arguments = [
        "vlm",
        "doctor",
        "--json",
        "--provider",
        "openai",
        "--model",
        "m",
        "--base-url",
        &url,
    ];
    let output = tiller(&arguments, &[("OPENAI_API_KEY", KEY)]);
    assert!(!all(&output).contains(KEY));
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", all(&output)));
    let mut checks = serde_json::Map::new();
    for check in found["checks"].as_array().unwrap() {
        checks.insert(
            check["check"].as_str().unwrap().to_owned(),
            check["ok"].clone(),
        );
    }
    (code(&output), Value::Object(checks), found)
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let (code, checks, found) = doctor(vec![says("Ready."), says("Red, blue")]);
    let well =
        json!({"settings": true, "endpoint": true, "key": true, "model": true, "pictures": true});
    assert_eq!((code, checks), (0, well), "{found:#}");

    let (code, checks, found) = doctor(vec![says("Ready."), says("I see nothing")]);
    assert_eq!((code, &checks["pictures"]), (1, &json!(false)), "{found:#}");
    assert!(found.to_string().contains("model with vision"));

    let refused = response(
        "400 Bad Request",
        "",
        "{\"error\": {\"message\": \"no images\"}}",
    );
    let (_, checks, found) = doctor(vec![says("Ready."), refused]);
    assert_eq!(checks["pictures"], json!(false), "{found:#}");
    assert!(found.to_string().contains("no images"));

    for (status, wrong) in [("401 Unauthorized", "key"), ("404 Not Found", "model")] {
        let (code, checks, found) = doctor(vec![response(status, "", "")]);
        assert_eq!((code, &checks[wrong]), (1, &json!(false)), "{found:#}");
        assert_eq!(checks["pictures"], Value::Null);
    }
    let arguments = [
        "vlm",
        "doctor",
        "--provider",
        "openai",
        "--model",
        "m",
        "--base-url",
        "http://127.0.0.1:9/v1",
    ];
    let nobody = tiller(&arguments, &[]);
    assert_eq!(code_and(&nobody, "WRONG endpoint"), 1);
    let keyless = tiller(
        &["vlm", "doctor", "--provider", "gemini", "--model", "m"],
        &[],
    );
    assert_eq!(code_and(&keyless, "GEMINI_API_KEY"), 1);
    let own = tiller(&["vlm", "doctor"], &[]);
    assert_eq!(code_and(&own, "neither key nor network"), 0);
}

#[test]
fn the_doctor_prints_the_settings_that_the_server_takes() {
    let renamed = response(
        "400 Bad Request",
        "",
        "{\"error\": {\"message\": \"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.\", \"param\": \"max_tokens\", \"code\": \"unsupported_parameter\"}}",
    );
    let scripts = || vec![renamed.clone(), says("Ready."), says("Red, blue")];
    let (code, _, found) = doctor(scripts());
    assert_eq!(code, 0, "{found:#}");
    let settings = &found["settings"];
    assert_eq!(
        settings["TILLER_VLM_TOKEN_LIMIT_NAME"], "max_completion_tokens",
        "{found:#}"
    );
    assert_eq!(settings["TILLER_VLM_PROVIDER"], "openai");
    assert!(
        found["adapted"][0]
            .as_str()
            .unwrap()
            .contains("max_completion_tokens")
    );

    let (server, _stop) = threaded(scripts());
    let url = format!("http://{}/v1", server.address);
    let own = [
        ("TILLER_VLM_PROVIDER", "openai"),
        ("TILLER_VLM_BASE_URL", url.as_str()),
    ];
    let output = tiller(&["vlm", "doctor", "--model", "a b"], &own);
    assert_eq!(
        code_and(&output, "--model or TILLER_VLM_MODEL: expected"),
        1
    );
    assert!(!all(&output).contains("a b"), "{}", all(&output));
    let output = tiller(&["vlm", "doctor", "--model", "m"], &own);
    assert_eq!(
        code_and(
            &output,
            "  TILLER_VLM_TOKEN_LIMIT_NAME=max_completion_tokens"
        ),
        0
    );
}

#[test]
fn every_setting_is_an_option_of_both_commands() {
    for command in ["ask", "doctor"] {
        let help = all(&tiller(&["vlm", command, "--help"], &[]));
        for setting in tiller_vlm::settings::SETTINGS {
            let option = format!("--{} ", setting.option());
            assert!(help.contains(&option), "{command} has no {option}");
            assert!(
                help.replace("\n          ", " ")
                    .contains(&setting.variable()),
                "{}",
                setting.name
            );
        }
    }
    let misspelt = tiller(&["vlm", "doctor"], &[("TILLER_VLM_MODLE", "sk-0123456789")]);
    assert_eq!(code_and(&misspelt, "such as TILLER_VLM_MODEL"), 1);
    assert!(!all(&misspelt).contains("sk-0123456789"));
}

fn code_and(output: &Output, part: &str) -> i32 {
    assert!(
        all(output).contains(part),
        "`{part}` is missing in {}",
        all(output)
    );
    code(output)
}
