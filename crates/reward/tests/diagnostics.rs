//! Diagnostics read well: what, where, what was expected, what was found, how to mend it.
//!
//! Every program in `resources/invalid` holds a mistake that vision-language models make; the
//! snapshot of the same name is what a person, or the model, reads about it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tiller_reward::{CompileOptions, Diagnostic, Diagnostics, Kind, Severity, compile};

/// Mistakes for a scene of 3 keypoints and trajectories of 15 points.
fn mistakes(text: &str) -> Option<Diagnostics> {
    mistakes_of("", text)
}

/// Mistakes of the program of that name.
fn mistakes_of(name: &str, text: &str) -> Option<Diagnostics> {
    compile(text, &crate::common::options(name)).err()
}

/// The programs of a theme, by name.
fn programs(theme: &str) -> Vec<(String, String)> {
    read(theme, "tests/resources/invalid")
}

fn read(theme: &str, folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder.join(theme)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (format!("{theme}/{name}"), fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn check(theme: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/invalid/{theme}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, text) in programs(theme) {
        let Some(mistakes) = mistakes_of(&name, &text) else {
            panic!("{name} was accepted");
        };
        settings.bind(|| {
            let short = name.split_once('/').unwrap().1;
            insta::assert_snapshot!(short, mistakes.render(&text));
        });
        for item in &mistakes.items {
            assert!(item.help.is_some(), "{name} lacks help");
            let (start, end) = (item.place.span.start, item.place.span.end);
            assert!(start <= end && end <= text.len(), "{name}");
            assert!(
                text.is_char_boundary(start) && text.is_char_boundary(end),
                "{name}"
            );
        }
        // One mistake is one error: nothing that merely follows from it.
        if theme != "several" {
            let errors = mistakes.items.iter();
            let errors = errors.filter(|item| item.severity() == Severity::Error);
            assert_eq!(errors.count(), 1, "{name}");
        }
    }
}

macro_rules! themes {
    ($($theme:ident)*) => {
        const THEMES: &[&str] = &[$(stringify!($theme)),*];
        $(#[test]
        fn $theme() {
            check(stringify!($theme));
        })*
    };
}

themes! {
    answer argument control done finite gradient index inert limit name policy python result several
    shape stage syntax types
}

/// Programs that are accepted with a remark.
fn remarked() -> Vec<(String, String, Vec<Diagnostic>)> {
    let programs = read("remarked", "tests/resources").into_iter();
    programs
        .map(|(name, text)| {
            let program = compile(&text, &CompileOptions::new(3, 15));
            let program = program.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(&text)));
            (name, text, program.remarks)
        })
        .collect()
}

#[test]
fn remarks_read_like_mistakes_and_refuse_nothing() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/remarked");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, text, remarks) in remarked() {
        assert_eq!(remarks.len(), 1, "{name}");
        assert_eq!(remarks[0].severity(), Severity::Warning, "{name}");
        let compact = remarks[0].to_string();
        assert!(compact.contains(": warning["), "{compact}");
        let remarks = Diagnostics { items: remarks };
        let json: serde_json::Value = serde_json::from_str(&remarks.to_json()).unwrap();
        assert_eq!(json[0]["severity"], "warning", "{name}");
        settings.bind(|| {
            insta::assert_snapshot!(name.split_once('/').unwrap().1, remarks.render(&text));
        });
    }
}

/// A mistake in one stage does not hide a doubt about another.
#[test]
fn a_refusal_tells_mistakes_first_and_then_remarks() {
    let text = "num_stages = 2
def stage1_guidance(keypoints, action_sequence):
    return torch.norm(action_sequence - keypoints[0], dim=-1).mean()
def stage2_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[9], dim=-1).mean()
";
    let mistakes = mistakes(text).unwrap();
    let kinds: Vec<Kind> = mistakes.items.iter().map(|item| item.kind).collect();
    assert_eq!(kinds, [Kind::KeypointIndex, Kind::Repelled]);
    assert!(mistakes.render(text).ends_with("1 error, 1 warning\n"));
}

/// Every check has a kind of its own, and programs that fail it.
#[test]
fn every_kind_is_met() {
    let met: BTreeSet<Kind> = THEMES
        .iter()
        .flat_map(|theme| programs(theme))
        .filter_map(|(name, text)| mistakes_of(&name, &text))
        .flat_map(|mistakes| mistakes.items)
        .chain(remarked().into_iter().flat_map(|(_, _, remarks)| remarks))
        .map(|item| item.kind)
        .collect();
    let missed: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| !met.contains(kind))
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn the_table_of_kinds_is_complete() {
    let table = include_str!("../README.md");
    for kind in Kind::ALL {
        assert!(
            table.contains(&format!("| `{}` |", kind.code())),
            "{}",
            kind.code()
        );
    }
}

#[test]
fn machine_readable_forms() {
    let text = "num_stages = 1
def stage1_guidance(k, a):
    def far(p):
        return p.summ()
    return far(a)
";
    let mistakes = mistakes(text).unwrap();
    let text_form = mistakes.to_json();
    insta::assert_snapshot!("json", text_form.replace(",\"", ",\n\""));
    let json: serde_json::Value = serde_json::from_str(&text_form).unwrap();
    let (start, end) = (
        json[0]["start"].as_u64().unwrap() as usize,
        json[0]["end"].as_u64().unwrap() as usize,
    );
    assert_eq!(&text[start..end], "summ");
    insta::assert_snapshot!("compact", mistakes.to_string());
}

/// Sound programs that touch the edge of a check.
#[test]
fn sound_programs_are_not_refused() {
    let bodies = [
        // Two keypoints do not coincide.
        "d = keypoints[1] - keypoints[0]\n    axis = d / torch.norm(d)\n    return ((action_sequence - keypoints[0]) * axis).sum(dim=-1).mean()",
        // A norm has no slope at 0, but a finite one.
        "return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()",
        "return -torch.norm(action_sequence[:, 1:] - action_sequence[:, :-1], dim=-1).sum()",
        "return -action_sequence.std(dim=1).sum()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\n    return torch.exp(-d / 0.1).mean() - torch.log(d + 1e-6).mean()",
        // Nor has this one, but only where a coordinate equals a keypoint's to the last bit.
        "d = (action_sequence - keypoints[0]).pow(2).sum(-1).sqrt()\n    return -d.mean()",
        // The current position may be part of it.
        "return -torch.norm(action_sequence[:, -1] - action_sequence[:, 0]).mean()",
        "return -F.relu(0.0 - action_sequence[..., 2]).sum()",
        "return 0",
    ];
    for body in bodies {
        let text = format!(
            "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    {body}\n"
        );
        if let Some(mistakes) = mistakes(&text) {
            panic!("{}", mistakes.render(&text));
        }
    }
}

/// Programs that would clear the screen, turn what stands beside them and hide words.
#[test]
fn hidden_characters_are_shown_and_marks_stand_below_them() {
    let no_python = "# \u{1b}[2J\u{202e}safe\u{202c}\r\nnum_stages = 1
def stage1_guidance(keypoints, action_sequence):
    note = '\u{1b}[31m\u{202e}抓\u{feff}' + far\u{200b}away\u{2028}
    return 0
";
    let wrong = "num_stages = 1
# Stage 1: \u{1b}]0;owned\u{7}go \u{e0041}there ⚠\u{fe0f}
def stage1_guidance(keypoints, action_sequence):
    note = '\u{1b}[31m\u{202e}抓\u{feff}' + keypoints[0].su\u{fe00}mm() # \u{2066}nothing\u{9b}31m
    t = torch.norm(action_sequence[0], p='\u{1b}[0m\u{202e}')
    return t['\u{1b}[8m\u{e0041}'] + getattr(t, '\u{2067}\u{7f}')
";
    let mut found = Vec::new();
    for text in [no_python, wrong] {
        let mistakes = mistakes(text).unwrap();
        found.extend([mistakes.render(text), mistakes.to_string()]);
    }
    let found = found.join("\n");
    let mut lines = found.lines();
    let hidden = lines.find(|line| !matches!(tiller_core::visible(line), Cow::Borrowed(_)));
    assert_eq!(hidden, None);
    insta::assert_snapshot!("hidden", found);
}

#[test]
fn descriptions_are_one_visible_line() {
    let text = format!(
        "num_stages = 1
# Stage 1: \u{1b}]0;owned\u{7}go \u{202e}there ⚠\u{fe0f} {}
def stage1_guidance(keypoints, action_sequence):
    return -(action_sequence[:, -1] - keypoints[0]).norm(dim=-1).mean()
",
        "on ".repeat(1000)
    );
    let program = compile(&text, &CompileOptions::new(1, 17)).unwrap();
    let description = &program.stages[0].description;
    let start = r"\u{1b}]0;owned\u{7}go \u{202e}there ⚠";
    assert!(description.starts_with(start), "{description}");
    assert!(description.chars().count() <= tiller_core::MAX_DESCRIPTION + 1);
}
