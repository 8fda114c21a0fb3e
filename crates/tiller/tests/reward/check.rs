//! Whether a program is sound.

use std::fs;

use serde_json::{Value, json};

use super::{REACH, code, err, json_of, out, tiller, tiller_with_input, write};

#[test]
fn help_shows_an_example_of_each_command() {
    for command in ["check", "eval", "show"] {
        let help = out(&tiller(&["reward", command, "--help"]));
        let example = format!("tiller reward {command} program.py");
        assert!(help.contains(&example), "{help}");
        assert!(help.contains("--json"), "{help}");
    }
}

#[test]
fn a_sound_program_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let output = tiller(&["reward", "check", &program]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    assert!(text.starts_with("ok: 2 stage(s)\n"), "{text}");
    for line in [
        "  1: reach the first keypoint",
        "     guidance: reads keypoint 0; ",
        "     done: reads keypoint 0",
        "  2: let the policy work",
        "     guidance: none: the policy works by itself",
        "     done: no done function: progress and gripper decide",
    ] {
        assert!(text.contains(&format!("\n{line}")), "{line}\n{text}");
    }

    let output = tiller(&["reward", "check", &program, "--json"]);
    let value = json_of(&output);
    assert_eq!(value["ok"], true);
    let [reach, free] = [&value["stages"][0], &value["stages"][1]];
    assert_eq!(reach["keypoints"], json!([0]));
    assert_eq!(reach["done_keypoints"], json!([0]));
    assert!(
        reach["operations_per_particle"].as_u64().unwrap() >= 4,
        "{reach}"
    );
    assert_eq!(free["guided"], false);
    assert_eq!(free["keypoints"], json!([]));
    assert_eq!(free["done_keypoints"], Value::Null);

    let output = tiller(&["reward", "check", &program, "--compact"]);
    assert_eq!(out(&output), "ok\n");
}

#[test]
fn nothing_in_a_program_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = "\u{1b}]0;x\u{7}\u{202e}go\u{200b}";
    let sound = REACH.replace("reach the first keypoint", hidden);
    let wrong = sound.replace(
        "keypoints[0]).norm(dim",
        &format!("{hidden}keypoints[0]).norm(dim"),
    );
    for (text, expected) in [(&sound, 0), (&wrong, 1)] {
        let program = write(folder.path(), "program.py", text);
        for more in [&[][..], &["--compact"], &["--json"]] {
            let output = tiller(&[&["reward", "check", &program], more].concat());
            let shown = out(&output) + &err(&output);
            assert_eq!(code(&output), expected, "{shown}");
            let found = shown
                .chars()
                .find(|&c| c != '\n' && tiller_core::is_hidden(c));
            assert_eq!(found, None, "{shown}");
        }
    }
    let program = write(folder.path(), "program.py", &sound);
    let text = out(&tiller(&["reward", "check", &program]));
    assert!(
        text.contains(r"  1: \u{1b}]0;x\u{7}\u{202e}go\u{200b}"),
        "{text}"
    );
    let value = json_of(&tiller(&["reward", "check", &program, "--json"]));
    let shown = r"\u{1b}]0;x\u{7}\u{202e}go\u{200b}";
    assert_eq!(value["stages"][0]["description"], shown);
}

#[test]
fn a_program_with_errors_is_refused_with_places() {
    let folder = tempfile::tempdir().unwrap();
    let text = REACH.replace("keypoints[0]).norm(dim=-1)", "keypoints[7]).norm(dim=-1)");
    let program = write(folder.path(), "program.py", &text);
    let check = |more: &[&str]| {
        let output = tiller(&[&["reward", "check", &program, "--keypoints", "3"], more].concat());
        assert_eq!(code(&output), 1);
        output
    };
    let text = out(&check(&[]));
    assert!(
        text.contains("error[keypoint-index]") && text.contains("line 5"),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "colours are for terminals: {text}");

    let value = json_of(&check(&["--json"]));
    assert_eq!(value["ok"], false);
    assert_eq!(value["errors"].as_array().unwrap().len(), 1);

    let text = out(&check(&["--compact"]));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.starts_with("line 5: error[keypoint-index]: "),
        "{text}"
    );
}

#[test]
fn a_program_comes_from_standard_input_too() {
    let output = tiller_with_input(&["reward", "check", "-"], REACH.as_bytes());
    assert_eq!(code(&output), 0, "{}", err(&output));
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let latin = folder.path().join("latin.py");
    fs::write(&latin, b"# caf\xe9\n").unwrap();
    let large = folder.path().join("large.py");
    fs::write(&large, vec![b'#'; (16 << 20) + 1]).unwrap();
    for (program, expected) in [
        ("/nowhere/program.py", "cannot read /nowhere/program.py"),
        (path, "it is a folder, expected a file"),
        (
            latin.to_str().unwrap(),
            "latin.py is not UTF-8 text: the byte at offset 5 is wrong",
        ),
        ("/dev/zero", "it is not a regular file but a device"),
        (large.to_str().unwrap(), "holds more than 16 MiB"),
    ] {
        for command in ["check", "show"] {
            let output = tiller(&["reward", command, program]);
            assert_eq!(code(&output), 2, "{program}");
            assert!(err(&output).contains(expected), "{}", err(&output));
        }
    }
    let empty = write(folder.path(), "empty.py", "");
    let output = tiller(&["reward", "check", &empty]);
    assert_eq!(code(&output), 1);
    assert!(
        out(&output).contains("error[no-program]"),
        "{}",
        out(&output)
    );
}
