//! `policy.toml`: what a bundle holds and how its numbers are to be read.
//!
//! Deserialising refuses unknown and missing keys; [`Manifest::problems`] then finds everything
//! that parses but cannot be used.

use serde::Deserialize;

use crate::error::Problem;

/// The manifest of a bundle, schema 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format; 1.
    pub schema: u32,
    /// Name of the policy, for people.
    pub name: String,
    /// The generative model: `flow_matching`.
    pub kind: String,
    /// What the denoiser predicts: `velocity`, which is noise minus data.
    pub prediction: String,
    /// T: action steps in a chunk.
    pub horizon: usize,
    /// Steps of a chunk that are executed before the next one is planned.
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
    /// The two graphs.
    pub files: Files,
}

/// The sampler that the policy was trained for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduler {
    /// `flow_euler`.
    pub kind: String,
    /// Integration steps that the policy was validated with.
    pub steps: usize,
    /// Direction of time: `noise_to_data_1_to_0`, noise at 1 and data at 0.
    pub time: String,
}

/// Layout and normalisation of one action. Columns count from 0.
///
/// The network's numbers are in [-1, 1]; column `i` unnormalises to
/// `x * (max[i] - min[i]) / 2 + (max[i] + min[i]) / 2`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// D: numbers in an action.
    pub dim: usize,
    /// The columns of x, y and z, in metres.
    pub position: [usize; 3],
    /// The column of the gripper, -1 close to +1 open, if the policy drives one.
    #[serde(default)]
    pub gripper: Option<usize>,
    /// Whether positions are steps or places.
    pub mode: ActionMode,
    /// Value of each column at -1.
    pub min: Vec<f32>,
    /// Value of each column at +1.
    pub max: Vec<f32>,
    /// Frame of the positions: `base`, the robot's base.
    pub frame: String,
}

/// Whether position columns are steps from the previous point or places in the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionMode {
    /// Metres a step, integrated from the anchor.
    Delta,
    /// Metres in the frame.
    Absolute,
}

/// What kind of observation an encoder input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObservationKind {
    /// Colour picture, `[3, height, width]`.
    Image,
    /// Robot state, `[n]`.
    State,
}

/// One input of the encoder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservationInput {
    /// Name of the encoder's input, e.g. `observation.images.static`.
    pub name: String,
    /// Picture or state.
    pub kind: ObservationKind,
    /// Where it comes from: a camera's name, or `robot_state`.
    pub source: String,
    /// Shape without the batch: `[3, height, width]` or `[n]`.
    pub shape: Vec<usize>,
    /// Subtracted: per channel of a picture scaled to [0, 1], or per number of a state.
    pub mean: Vec<f32>,
    /// Divided by, after the mean was subtracted.
    pub std: Vec<f32>,
}

/// The graphs of a bundle.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Observation to `condition`.
    pub encoder: GraphFile,
    /// `sample`, `timestep`, `condition` to `prediction`.
    pub denoiser: GraphFile,
}

/// A graph and its fingerprint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFile {
    /// Path relative to the bundle directory.
    pub path: String,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// Longest chunk that is accepted: bounds what a manifest can make the process allocate.
const MAX_HORIZON: usize = 1024;
/// Widest action that is accepted.
const MAX_ACTION_DIM: usize = 64;
/// Longest side of a picture that is accepted, pixels.
const MAX_IMAGE_SIDE: usize = 4096;
/// Longest robot state that is accepted.
const MAX_STATE: usize = 1024;

impl Manifest {
    /// Everything in the manifest that cannot be used; empty when it is sound.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.literal("schema", &self.schema.to_string(), "1");
        problems.literal("kind", &self.kind, "flow_matching");
        problems.literal("prediction", &self.prediction, "velocity");
        problems.literal("scheduler.kind", &self.scheduler.kind, "flow_euler");
        problems.literal(
            "scheduler.time",
            &self.scheduler.time,
            "noise_to_data_1_to_0",
        );
        problems.range("scheduler.steps", self.scheduler.steps, 1, 1000);
        problems.range("horizon", self.horizon, 1, MAX_HORIZON);
        problems.range("execute_steps", self.execute_steps, 1, self.horizon.max(1));
        problems.require(
            "rate_hz",
            self.rate_hz.is_finite() && self.rate_hz > 0.0,
            "a positive rate in Hz",
            self.rate_hz,
        );
        self.action.check(&mut problems);
        self.check_observations(&mut problems);
        self.files.encoder.check("files.encoder", &mut problems);
        self.files.denoiser.check("files.denoiser", &mut problems);
        problems.found
    }

    fn check_observations(&self, problems: &mut Problems) {
        problems.require(
            "observation",
            !self.observations.is_empty(),
            "at least one observation",
            "none",
        );
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

impl Action {
    fn check(&self, problems: &mut Problems) {
        problems.range("action.dim", self.dim, 1, MAX_ACTION_DIM);
        let [x, y, z] = self.position;
        problems.require(
            "action.position",
            self.position.iter().all(|column| *column < self.dim) && x != y && y != z && x != z,
            format!("three different columns below {}", self.dim),
            format!("{:?}", self.position),
        );
        if let Some(gripper) = self.gripper {
            problems.require(
                "action.gripper",
                gripper < self.dim && !self.position.contains(&gripper),
                format!("a column below {} that is not a position", self.dim),
                gripper,
            );
        }
        problems.numbers("action.min", &self.min, self.dim);
        problems.numbers("action.max", &self.max, self.dim);
        for (column, (min, max)) in self.min.iter().zip(&self.max).enumerate() {
            problems.require(
                format!("action.min[{column}]"),
                min < max,
                format!("less than action.max[{column}] = {max}"),
                min,
            );
        }
        problems.literal("action.frame", &self.frame, "base");
    }
}

impl ObservationInput {
    fn check(&self, problems: &mut Problems) {
        let at = |field: &str| format!("observation `{}`.{field}", self.name);
        let shape = format!("{:?}", self.shape);
        let channels = match (self.kind, self.shape.as_slice()) {
            (ObservationKind::Image, [3, height, width])
                if (1..=MAX_IMAGE_SIDE).contains(height)
                    && (1..=MAX_IMAGE_SIDE).contains(width) =>
            {
                3
            }
            (ObservationKind::State, [numbers]) if (1..=MAX_STATE).contains(numbers) => *numbers,
            (ObservationKind::Image, _) => {
                let expected = format!("[3, height, width] with sides up to {MAX_IMAGE_SIDE}");
                problems.push(at("shape"), expected, shape);
                3
            }
            (ObservationKind::State, _) => {
                let expected = format!("[n] with n from 1 to {MAX_STATE}");
                problems.push(at("shape"), expected, shape);
                return;
            }
        };
        if self.kind == ObservationKind::State {
            problems.literal(&at("source"), &self.source, "robot_state");
        }
        problems.numbers(&at("mean"), &self.mean, channels);
        problems.numbers(&at("std"), &self.std, channels);
        problems.require(
            at("std"),
            self.std.iter().all(|std| *std > 0.0),
            "positive numbers",
            format!("{:?}", self.std),
        );
    }
}

impl GraphFile {
    fn check(&self, at: &str, problems: &mut Problems) {
        let path = std::path::Path::new(&self.path);
        problems.require(
            format!("{at}.path"),
            !self.path.is_empty()
                && path
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_))),
            "a path inside the bundle directory",
            format!("`{}`", self.path),
        );
        problems.require(
            format!("{at}.sha256"),
            self.sha256.len() == 64
                && self
                    .sha256
                    .bytes()
                    .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')),
            "64 lower-case hexadecimal digits",
            format!("`{}`", self.sha256),
        );
    }
}

/// Collects problems, so that all of them reach the person at once.
#[derive(Default)]
struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    fn push(&mut self, at: impl Into<String>, expected: impl Into<String>, found: impl ToString) {
        self.found
            .push(Problem::new(at, expected, found.to_string()));
    }

    fn require(
        &mut self,
        at: impl Into<String>,
        holds: bool,
        expected: impl Into<String>,
        found: impl ToString,
    ) {
        if !holds {
            self.push(at, expected, found);
        }
    }

    fn literal(&mut self, at: &str, found: &str, expected: &str) {
        self.require(
            at,
            found == expected,
            format!("`{expected}`"),
            format!("`{found}`"),
        );
    }

    fn range(&mut self, at: &str, found: usize, low: usize, high: usize) {
        self.require(
            at,
            (low..=high).contains(&found),
            format!("{low} to {high}"),
            found,
        );
    }

    fn numbers(&mut self, at: &str, numbers: &[f32], count: usize) {
        self.require(
            at,
            numbers.len() == count,
            format!("{count} numbers"),
            numbers.len(),
        );
        self.require(
            at,
            numbers.iter().all(|number| number.is_finite()),
            "finite numbers",
            format!("{numbers:?}"),
        );
    }
}
