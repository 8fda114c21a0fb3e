//! Settings.

use tiller_node_kit::{Environment, SettingsError};

/// Who writes the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthorKind {
    /// The author within this program; it needs no network.
    Embedded,
}

/// Settings of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// What the robot is to do.
    pub(crate) instruction: String,
    /// Who writes the programs.
    pub(crate) author: AuthorKind,
    /// Actions in a chunk of the policy, for the check of the program; the sampler compiles it
    /// again for what its policy really has.
    pub(crate) horizon: usize,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, SettingsError> {
        let instruction = env.required(
            "INSTRUCTION",
            "what the robot is to do, such as `open the drawer`",
        );
        let author = env.choice("AUTHOR", "embedded", &[("embedded", AuthorKind::Embedded)]);
        let horizon = env.number("HORIZON", 16, 1..=256);
        env.finish(Self {
            instruction,
            author,
            horizon,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported() {
        let env = Environment::from_pairs([("AUTHOR", "oracle"), ("HORIZON", "0")]);
        let error = Settings::read(env).unwrap_err();
        assert_eq!(error.problems.len(), 3, "{error}");
        assert!(
            error
                .to_string()
                .contains("INSTRUCTION: expected what the robot is to do")
        );
    }
}
