//! Settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_vlm::Author;
use tiller_vlm::exchange::{Client, Recorder};
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::repair::AuthoringPolicy;

use crate::kept::Kept;

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// How often a model may mend its program, and what happens when none is sound.
    pub(crate) policy: AuthoringPolicy,
    /// Whether stage queries are put to the model.
    pub(crate) advice: bool,
    /// Whether a journal is sent for recorders.
    pub(crate) journal: bool,
    /// Whether an operator must approve a program before it is sent.
    pub(crate) approval: bool,
    /// The longest that one question takes.
    pub(crate) question_timeout: Duration,
    /// The longest that a program takes, repairs included; then the fallback.
    pub(crate) program_timeout: Duration,
}

/// Settings, and what was set up with them.
pub(crate) struct Setup {
    /// Settings of the node itself.
    pub(crate) settings: Settings,
    /// Who is asked, with cache, budget and recorder.
    pub(crate) client: Arc<Client>,
    /// What is asked.
    pub(crate) prompts: Arc<PromptSet>,
    /// The folder of prompts, where they are not built in.
    pub(crate) prompt_dir: Option<String>,
    /// The world whose author writes without a network.
    pub(crate) world: &'static str,
    /// That author.
    pub(crate) embedded: Arc<dyn Author>,
    /// Where the key is from; none where none is sent.
    pub(crate) key_origin: Option<String>,
    /// What the key's owner should know.
    pub(crate) key_remark: Option<&'static str>,
    /// Where the newest program is kept; none where there is no folder for a run.
    pub(crate) kept: Option<Kept>,
}

impl Setup {
    /// Reads and checks everything; nothing is contacted yet. `embedded` of `world` writes without a network.
    /// A node that `goes_on` where one like it has ended keeps its records.
    pub(crate) fn read(
        env: Environment,
        (world, embedded): (&'static str, Arc<dyn Author>),
        goes_on: bool,
    ) -> Result<Self, Problems> {
        // A key may stand in any of them by mistake.
        let mut env = env.private();
        env.renamed("INSTRUCTION", "an `episode` message");
        env.renamed("HORIZON", "a `program_contract` message");
        env.renamed("PROVIDER", "VLM_PROVIDER");
        let approval = env.choice("APPROVAL", "off", &[("off", false), ("required", true)]);
        let ready = tiller_vlm::settings::read(&mut env, &embedded);
        let mut client = ready.client();
        let journal = env.choice("JOURNAL", "on", &[("on", true), ("off", false)]);
        // A replay leaves its recording alone, and the embedded author needs none.
        let folder = env.optional("RUN_DIR").map(PathBuf::from);
        let kept = folder.as_deref().map(Kept::in_folder);
        if let Some(folder) = folder
            && ready.provider.is_remote()
        {
            let recorder = Recorder::new(folder.join("exchanges"));
            let fresh = recorder.and_then(|recorder| match goes_on {
                true => Ok(recorder),
                false => recorder.start_afresh().map(|()| recorder),
            });
            match fresh {
                Ok(recorder) => client = client.with_recorder(recorder),
                Err(error) => {
                    let reason = error.reason();
                    let expected = format!("a folder for records that can be written ({reason})");
                    env.refuse("RUN_DIR", &expected, Some(folder.display().to_string()));
                }
            }
        }
        let prompt_dir = env.optional("PROMPT_DIR");
        env.finish(Self {
            settings: Settings {
                policy: ready.policy,
                advice: ready.advice,
                journal,
                approval,
                question_timeout: ready.provider.total_timeout(),
                program_timeout: ready.program_timeout,
            },
            client: Arc::new(client),
            prompts: Arc::new(ready.prompts),
            prompt_dir,
            world,
            embedded,
            key_origin: ready.key_origin,
            key_remark: ready.key_remark,
            kept,
        })
    }
}

#[cfg(test)]
mod tests;
