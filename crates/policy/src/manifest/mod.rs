//! `policy.toml`: what a bundle holds and how its numbers are to be read.
//!
//! Deserialising refuses unknown and missing keys; [`Manifest::problems`] then finds everything
//! that parses but cannot be used.

mod action;
mod files;
mod observation;
mod scheduler;

pub use action::{Action, Gripper, Rotation, Spelling};
pub use files::{BundleFile, Files, GraphFile};
pub(crate) use observation::{ENVIRONMENT_STATE, INSTRUCTION, ROBOT_STATE};
pub use observation::{ObservationInput, ObservationKind, WrittenState};
pub use scheduler::{Scheduler, Thresholding};

use serde::Deserialize;
use tiller_core::{Problems, StateComponent};
use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{ActionSpace, Guide};

/// The manifest of a bundle, schema 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format; 1.
    pub schema: u32,
    /// Name of the policy, for people.
    pub name: String,
    /// The generative model: `flow_matching` or `diffusion`.
    pub kind: String,
    /// What the denoiser predicts: `velocity` in flow matching; `epsilon`, `sample` or
    /// `v_prediction` in diffusion.
    pub prediction: String,
    /// Observations that the encoder sees, the newest last. Above 1 each of its inputs has them as
    /// its first dimension after the batch.
    #[serde(default = "one")]
    pub observation_steps: usize,
    /// T: action steps in a chunk.
    pub horizon: usize,
    /// The first action of a chunk that is executed; those before it are past.
    #[serde(default)]
    pub execute_start: usize,
    /// Actions from `execute_start` on that are executed before the next one is planned.
    pub execute_steps: usize,
    /// Action steps a second, Hz.
    pub rate_hz: f64,
    /// How the sampler integrates.
    pub scheduler: Scheduler,
    /// What the columns of an action mean.
    pub action: Action,
    /// What the encoder sees, in the order of its inputs.
    #[serde(rename = "observation")]
    pub observations: Vec<ObservationInput>,
    /// The graphs, and the tokenizer of a policy that reads.
    pub files: Files,
}

/// Longest chunk that is accepted: bounds what a manifest can make the process allocate.
const MAX_HORIZON: usize = 1024;
/// Longest history of observations that is accepted.
const MAX_OBSERVATION_STEPS: usize = 16;

fn one() -> usize {
    1
}

impl Manifest {
    /// Everything in the manifest that cannot be used; empty when it is sound.
    #[must_use]
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        let _ = problems.choice("schema", &self.schema.to_string(), &[("1", ())]);
        problems.name("name", &self.name);
        let _ = self.read_scheduler(&mut problems);
        problems.range(
            "observation_steps",
            self.observation_steps,
            1,
            MAX_OBSERVATION_STEPS,
        );
        problems.range("horizon", self.horizon, 1, MAX_HORIZON);
        problems.range(
            "execute_start",
            self.execute_start,
            0,
            self.horizon.saturating_sub(1),
        );
        let executable = self.horizon.saturating_sub(self.execute_start);
        problems.range("execute_steps", self.execute_steps, 1, executable.max(1));
        problems.require(
            "rate_hz",
            self.rate_hz.is_finite() && self.rate_hz > 0.0,
            "a positive rate in Hz",
            self.rate_hz,
        );
        let _ = self.action.read(self.rate_hz, &mut problems);
        self.check_observations(&mut problems);
        self.files.encoder.check("files.encoder", &mut problems);
        self.files.denoiser.check("files.denoiser", &mut problems);
        if let Some(tokenizer) = &self.files.tokenizer {
            tokenizer.check("files.tokenizer", &mut problems);
        }
        problems
    }

    /// The sampler that the manifest asks for; `None` when it is not sound.
    #[must_use]
    pub fn sampler(&self) -> Option<SchedulerConfig> {
        self.read_scheduler(&mut Problems::default())
    }

    /// Layout and normalisation of the actions, and which of their columns guidance may move; `None`
    /// when they are not sound.
    #[must_use]
    pub fn action_space(&self) -> Option<(ActionSpace, Guide)> {
        self.action.read(self.rate_hz, &mut Problems::default())
    }

    /// What the policy is to be told of the robot's own state, in this order; the default where it does
    /// not say, or sees no such state at all.
    #[must_use]
    pub fn robot_state(&self) -> Vec<StateComponent> {
        let mut inputs = self.observations.iter();
        let own = inputs.find(|input| input.source == ROBOT_STATE || input.state.is_some());
        own.map_or_else(
            || StateComponent::DEFAULT.to_vec(),
            ObservationInput::state_components,
        )
    }

    /// The input that takes what the robot is told to do, of a policy that reads it.
    #[must_use]
    pub fn text(&self) -> Option<&ObservationInput> {
        let mut inputs = self.observations.iter();
        inputs.find(|input| input.kind == ObservationKind::Text)
    }

    fn check_text(&self, problems: &mut Problems) {
        let tokenizer = &self.files.tokenizer;
        let Some(text) = self.text() else {
            return problems.absent("files.tokenizer", tokenizer, "without a text to read");
        };
        let _ = problems.present(
            "files.tokenizer",
            tokenizer.as_ref(),
            "of a policy that reads",
        );
        problems.require(
            "observation_steps",
            self.observation_steps == 1,
            "1, for a policy that reads",
            self.observation_steps,
        );
        let mask = text.mask.as_deref().unwrap_or_default();
        problems.require(
            format!("observation `{}`.mask", text.name),
            !self.observations.iter().any(|input| input.name == mask),
            "a name of its own",
            format!("`{mask}`, which is an observation's"),
        );
    }

    fn read_scheduler(&self, problems: &mut Problems) -> Option<SchedulerConfig> {
        let bounded = self.action.is_bounded();
        let (kind, prediction) = (&self.kind, &self.prediction);
        scheduler::read(kind, prediction, &self.scheduler, bounded, problems)
    }

    fn check_observations(&self, problems: &mut Problems) {
        problems.require(
            "observation",
            !self.observations.is_empty(),
            "at least one observation",
            "none",
        );
        self.check_text(problems);
        for (index, input) in self.observations.iter().enumerate() {
            input.check(problems);
            let earlier = &self.observations[..index];
            problems.require(
                format!("observation `{}`", input.name),
                !earlier.iter().any(|other| other.name == input.name),
                "a name of its own",
                "a name that is used twice",
            );
            problems.require(
                format!("observation `{}`.source", input.name),
                !earlier.iter().any(|other| other.source == input.source),
                "a source of its own",
                format!("`{}`, which is used twice", input.source),
            );
        }
    }
}
