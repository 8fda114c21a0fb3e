//! What `dora replay` asks for.

use std::path::PathBuf;

use tiller_core::Problems;
use tiller_node_kit::Environment;

/// Settings of the node.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The recording.
    pub(crate) file: PathBuf,
    /// Whose messages are sent.
    pub(crate) node: String,
    /// How many times as fast; 0 without a pause.
    pub(crate) speed: f64,
    /// Whether it begins anew at its end.
    pub(crate) loops: bool,
}

impl Settings {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// With all problems at once.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let settings = Self {
            file: PathBuf::from(env.required("DORA_REPLAY_FILE", "the recording, x.drec")),
            node: env.required("DORA_REPLAY_NODE", "whose messages are sent"),
            speed: env.number("DORA_REPLAY_SPEED", 1.0, 0.0..=1000.0),
            loops: env.choice(
                "DORA_REPLAY_LOOP",
                "false",
                &[("true", true), ("false", false)],
            ),
        };
        env.finish(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_told_at_once() {
        let env = Environment::from_pairs([("DORA_REPLAY_SPEED", "-1"), ("DORA_REPLAY_LOOP", "2")]);
        let text = Settings::read(env).unwrap_err().to_string();
        for name in ["FILE", "NODE", "SPEED", "LOOP"] {
            assert!(text.contains(&format!("DORA_REPLAY_{name}")), "{text}");
        }
    }
}
