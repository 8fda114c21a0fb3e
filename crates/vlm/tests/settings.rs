//! The table of settings against all that is made from it, and what wrong values say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tiller_core::Environment;
use tiller_vlm::settings::{Kind, SETTINGS, markdown, read};
use tiller_vlm::{Abilities, Answer, Author, AuthorError, AuthorRequest};

/// An author that is never asked.
#[derive(Debug)]
struct Nobody;

impl Author for Nobody {
    fn author(&self, _: &AuthorRequest) -> Result<Answer, AuthorError> {
        Err(AuthorError::Empty {
            can: Abilities::default(),
        })
    }
}

const PROVIDERS: [&str; 7] = [
    "embedded",
    "openai",
    "openai-responses",
    "azure",
    "anthropic",
    "gemini",
    "files",
];

fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

fn problems<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let mut env = Environment::from_pairs(pairs).private();
    let embedded: Arc<dyn Author> = Arc::new(Nobody);
    let ready = read(&mut env, &embedded);
    match env.finish(ready) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            let found = problems.found.into_iter();
            found.map(|p| (p.name.clone(), p.to_string())).collect()
        }
    }
}

#[test]
fn the_readme_of_the_node_has_the_table() {
    let readme = file("nodes/vlm-reward/README.md");
    assert!(
        readme.contains(&markdown()),
        "nodes/vlm-reward/README.md is to hold this table:\n{}",
        markdown()
    );
}

#[test]
fn the_dataflow_reaches_every_setting() {
    let dataflow = file("dataflow.yml");
    for setting in SETTINGS {
        let line = format!("      {}\n", setting.dataflow_line());
        assert!(dataflow.contains(&line), "dataflow.yml has no\n{line}");
    }
}

#[test]
fn the_table_names_all_that_is_read_and_nothing_else() {
    let mut asked = BTreeSet::new();
    for provider in PROVIDERS {
        let pairs = [("VLM_PROVIDER", provider), ("MODEL", "m")];
        let mut env = Environment::from_pairs(pairs);
        let embedded: Arc<dyn Author> = Arc::new(Nobody);
        read(&mut env, &embedded);
        asked.extend(env.asked().iter().cloned());
    }
    // Keys are no settings: they stand in no file of a dataflow.
    asked.retain(|name| !name.ends_with("_API_KEY"));
    let named: BTreeSet<String> = SETTINGS.iter().map(|s| s.name.to_owned()).collect();
    assert_eq!(asked, named);
}

/// What dataflows name where nobody names another file.
#[test]
fn without_a_key_both_places_for_one_are_named() {
    for file in ["vlm.key", "../vlm.key"] {
        let pairs = [
            ("VLM_PROVIDER", "anthropic"),
            ("MODEL", "m"),
            ("KEY_FILE", file),
        ];
        let found = problems(pairs);
        assert_eq!(found.len(), 1, "{found:?}");
        for place in ["ANTHROPIC_API_KEY", "KEY_FILE", "`vlm.key`"] {
            assert!(found[0].1.contains(place), "{place}: {found:?}");
        }
        // Whoever needs no key is not asked for one.
        assert_eq!(problems([("KEY_FILE", file)]), []);
        let own = [("BASE_URL", "http://localhost:11434/v1")];
        let openai = [
            ("VLM_PROVIDER", "openai"),
            ("MODEL", "m"),
            ("KEY_FILE", file),
        ];
        assert_eq!(problems(openai.into_iter().chain(own)), []);
    }
    // Any other file must be there.
    let pairs = [
        ("VLM_PROVIDER", "openai"),
        ("MODEL", "m"),
        ("BASE_URL", "http://localhost:11434/v1"),
        ("KEY_FILE", "/nowhere/vlm.key"),
    ];
    assert_eq!(problems(pairs)[0].0, "KEY_FILE");
}

#[test]
fn a_secret_in_the_place_of_any_setting_is_in_no_message() {
    const CANARY: &str = "zq7Kv93xT";
    let wrong = [
        CANARY.to_owned(),
        format!("/home/me/{CANARY}"),
        format!("https://user:{CANARY}@localhost/v1"),
        format!("https://localhost:{CANARY}/v1"),
        format!("ftp://localhost/{CANARY}"),
        format!("{CANARY} {CANARY}"),
        format!("{{\"{CANARY}\": {CANARY}"),
        format!("{CANARY}: \u{1b}[31m"),
        format!("@{CANARY}"),
        format!("X-Key: @{CANARY}"),
    ];
    let mut refused = BTreeSet::new();
    for provider in PROVIDERS {
        for name in SETTINGS
            .iter()
            .map(|s| s.name)
            .chain(["OPENAI_API_KEY", "GEMINI_API_KEY"])
        {
            for value in &wrong {
                let mut pairs = vec![
                    ("VLM_PROVIDER", provider),
                    ("MODEL", "m"),
                    ("BASE_URL", "http://localhost:1/v1"),
                ];
                pairs.retain(|(other, _)| *other != name);
                pairs.push((name, value));
                for (_, text) in problems(pairs) {
                    assert!(!text.contains(CANARY), "{name}: {text}");
                    refused.insert(name);
                }
            }
        }
    }
    // The values are wrong for nearly all, so that something was said.
    assert!(refused.len() > 25, "{refused:?}");
}

#[test]
fn a_header_may_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a-secret-value\n").unwrap();
    let with = |headers: String| {
        let base = ("BASE_URL", "http://localhost:1/v1");
        let pairs = [("VLM_PROVIDER", "openai"), ("MODEL", "m"), base];
        problems(pairs.into_iter().chain([("HEADERS", headers.as_str())]))
    };
    assert_eq!(
        with(format!("X-One: two; X-Key: @{}", file.path().display())),
        []
    );
    let body = format!("@{}", file.path().display());
    let pairs = [
        ("VLM_PROVIDER", "openai"),
        ("MODEL", "m"),
        ("BASE_URL", "http://localhost:1/v1"),
        ("EXTRA_BODY", body.as_str()),
    ];
    assert_eq!(problems(pairs)[0].0, "EXTRA_BODY", "it holds no JSON");
    std::fs::write(file.path(), "{\"seed\": 7}").unwrap();
    assert_eq!(problems(pairs), []);
    let missing = with("X-Key: @/nowhere/key".to_owned());
    assert_eq!(missing[0].0, "HEADERS", "{missing:?}");
}

#[test]
fn a_misspelt_word_is_met_with_the_nearest_one() {
    let text = problems([("VLM_PROVIDER", "antropic")]).remove(0).1;
    assert!(text.contains("is `anthropic` meant?"), "{text}");
    let text = problems([("ADVICE", "onn")]).remove(0).1;
    assert!(text.contains("is `on` meant?"), "{text}");
}

#[test]
fn names_are_of_one_kind() {
    let unique: BTreeSet<_> = SETTINGS.iter().map(|s| s.option()).collect();
    assert_eq!(unique.len(), SETTINGS.len());
    for setting in SETTINGS {
        assert!(!setting.meaning.contains('|') && !setting.default.contains('|'));
        if setting.kind == Kind::Switch {
            assert!(["on", "off"].contains(&setting.default), "{}", setting.name);
        }
    }
}
