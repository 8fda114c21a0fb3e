//! Settings.

use std::path::PathBuf;

use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_report::RunInfo;

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Where the report goes.
    pub(crate) folder: PathBuf,
    /// What is known before the run.
    pub(crate) info: RunInfo,
}

impl Settings {
    /// Reads and checks everything.
    ///
    /// The run's own settings are only quoted here; who acts on one checks it. A report must not
    /// fail because another node's setting is wrong.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let folder = env.path("RUN_DIR", "runs/latest");
        let info = RunInfo {
            instruction: env.text("INSTRUCTION", ""),
            policy: env.text("POLICY", "flow"),
            seed: env.text("SEED", "0").parse().unwrap_or_default(),
            steered: env.text("STEER", "on") != "off",
        };
        env.finish(Self { folder, info })
    }
}
