//! What `dora record` asks for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dora_message::id::{DataId, NodeId};
use tiller_core::Problems;
use tiller_node_kit::Environment;

/// Settings of the node.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The recording.
    pub(crate) file: PathBuf,
    /// What is recorded, by the node's input.
    pub(crate) topics: BTreeMap<String, Topic>,
    /// The dataflow's YAML, as a replay wants it.
    pub(crate) descriptor: String,
    /// What becomes of a recording in which a message is missing.
    pub(crate) on_loss: OnLoss,
}

/// An output of a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Topic {
    /// `NODE/OUTPUT`.
    pub(crate) name: String,
    pub(crate) node: NodeId,
    pub(crate) output: DataId,
}

/// What becomes of a recording in which a message is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnLoss {
    /// It is told.
    Tell,
    /// The node fails in the end, and with it the run.
    Fail,
}

impl Settings {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// With all problems at once.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let file = env.required("DORA_RECORD_FILE", "the file to record to");
        let text = env.required("DORA_RECORD_TOPICS", "what `dora record` sets");
        let descriptor = for_replay(&env.text("DORA_RECORD_DESCRIPTOR", ""));
        let on_loss = [("tell", OnLoss::Tell), ("fail", OnLoss::Fail)];
        let on_loss = env.choice("TILLER_RECORD_ON_LOSS", "tell", &on_loss);
        let topics = topics(&text).unwrap_or_else(|| {
            let expected = "outputs by input, as JSON: {\"world___image\": \"world/image\"}";
            if !text.is_empty() {
                env.refuse_as("DORA_RECORD_TOPICS", expected, &text);
            }
            BTreeMap::new()
        });
        env.finish(Self {
            file: PathBuf::from(file),
            topics,
            descriptor,
            on_loss,
        })
    }
}

/// The dataflow's YAML as `dora replay` can run it. dora has put the variables' values in their places, so
/// a replay would write over the results of what was recorded; and of an operator that is replaced the
/// types are not carried over, which is an error where types are strict.
fn for_replay(descriptor: &str) -> String {
    let line = |line: &str| -> String {
        let place = &line[..line.len() - line.trim_start().len()];
        match line.trim().split_once(": ") {
            Some(("RUN_DIR", value)) if !value.contains("${") => {
                let value = value.trim_matches('"');
                // Every dataflow has its own there.
                let end = if value.ends_with("/latest") {
                    ""
                } else {
                    "-replay"
                };
                format!("{place}RUN_DIR: \"${{TILLER_RUN_DIR:-{value}{end}}}\"")
            }
            Some(("strict_types", "true")) => format!("{place}strict_types: false"),
            _ => line.to_owned(),
        }
    };
    let lines: Vec<_> = descriptor.lines().map(line).collect();
    lines.join("\n")
}

fn topics(text: &str) -> Option<BTreeMap<String, Topic>> {
    let names: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    let topic = |(input, name): (String, String)| {
        let (node, output) = name.split_once('/')?;
        let topic = Topic {
            node: node.parse().ok()?,
            output: output.parse().ok()?,
            name,
        };
        Some((input, topic))
    };
    names.into_iter().map(topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dora_sets_is_read() {
        let env = Environment::from_pairs([
            ("DORA_RECORD_FILE", "x.drec"),
            (
                "DORA_RECORD_TOPICS",
                r#"{"a___b": "a/b", "c___d/e": "c/d/e"}"#,
            ),
            ("DORA_RECORD_DESCRIPTOR", "nodes: []"),
            ("TILLER_RECORD_ON_LOSS", "fail"),
        ]);
        let settings = Settings::read(env).unwrap();
        assert_eq!(settings.topics["a___b"].name, "a/b");
        assert_eq!(settings.topics["c___d/e"].output.to_string(), "d/e");
        assert_eq!(settings.on_loss, OnLoss::Fail);
    }

    #[test]
    fn a_replay_writes_elsewhere_and_takes_types_as_they_come() {
        let text = "strict_types: true\nnodes:\n  - id: a\n    env:\n      RUN_DIR: \"runs/latest\"\n      B: c";
        for (kept, elsewhere) in [("latest", "latest"), ("mine", "mine-replay")] {
            let text = text.replace("latest", kept);
            let replayed = for_replay(&text);
            let set = format!("${{TILLER_RUN_DIR:-runs/{elsewhere}}}");
            let expected = text
                .replace("true", "false")
                .replace(&format!("runs/{kept}"), &set);
            assert_eq!(replayed, expected);
            assert_eq!(for_replay(&replayed), replayed);
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        for topics in ["[]", r#"{"a": "b"}"#, r#"{"a": "b c/d"}"#] {
            let env = Environment::from_pairs([
                ("DORA_RECORD_TOPICS", topics),
                ("TILLER_RECORD_ON_LOSS", "cry"),
            ]);
            let text = Settings::read(env).unwrap_err().to_string();
            for name in [
                "DORA_RECORD_FILE",
                "DORA_RECORD_TOPICS",
                "TILLER_RECORD_ON_LOSS",
            ] {
                assert!(text.contains(name), "{text}");
            }
        }
    }
}
