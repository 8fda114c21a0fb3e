//! What the encoder sees.

use serde::Deserialize;
use tiller_core::{Problems, StateComponent};

/// Longest side of a picture that is accepted, pixels.
const MAX_IMAGE_SIDE: usize = 4096;
/// Longest state that is accepted.
const MAX_STATE: usize = 1024;

/// The source of the robot's own state.
pub(crate) const ROBOT_STATE: &str = "robot_state";
/// The source of the environment's state.
pub(crate) const ENVIRONMENT_STATE: &str = "environment_state";

/// What kind of observation an encoder input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObservationKind {
    /// Colour picture, `[3, height, width]`.
    Image,
    /// State of the robot or of the environment, `[n]`.
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
    /// Where it comes from: a camera's name; of a state `robot_state`, or `environment_state`, what a
    /// simulation knows beside it, as some LeRobot policies see it.
    pub source: String,
    /// What a `robot_state` holds, one after the other: `position`, `rotation_6d`, `rotation_vector`,
    /// `gripper_width` or `fingers`; [`StateComponent::DEFAULT`] when left out.
    pub components: Option<Vec<String>>,
    /// Shape without the batch: `[3, height, width]` or `[n]`.
    pub shape: Vec<usize>,
    /// Subtracted: per channel of a picture scaled to [0, 1], or per number of a state.
    pub mean: Vec<f32>,
    /// Divided by, after the mean was subtracted.
    pub std: Vec<f32>,
}

impl ObservationInput {
    pub(super) fn check(&self, problems: &mut Problems) {
        let at = |field: &str| format!("observation `{}`.{field}", self.name);
        problems.name(at("name"), &self.name);
        problems.name(at("source"), &self.source);
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
            let sources = [(ROBOT_STATE, ()), (ENVIRONMENT_STATE, ())];
            let _ = problems.choice(at("source"), &self.source, &sources);
        }
        self.check_components(problems);
        problems.numbers(&at("mean"), &self.mean, channels);
        problems.numbers(&at("std"), &self.std, channels);
        problems.require(
            at("std"),
            self.std.iter().all(|std| *std > 0.0),
            "positive numbers",
            format!("{:?}", self.std),
        );
    }

    fn check_components(&self, problems: &mut Problems) {
        let Some(words) = &self.components else {
            return;
        };
        let at = format!("observation `{}`.components", self.name);
        if self.kind != ObservationKind::State || self.source != ROBOT_STATE {
            let why = format!("with the source `{}`", self.source);
            problems.absent(&at, &self.components, &why);
            return;
        }
        problems.require(&at, !words.is_empty(), "at least one component", "none");
        let known = StateComponent::ALL.map(|component| (component.as_str(), component));
        let mut numbers = Some(0);
        for (index, word) in words.iter().enumerate() {
            let component = problems.choice(format!("{at}[{index}]"), word, &known);
            numbers = numbers.zip(component).map(|(sum, own)| sum + own.width());
            problems.require(
                format!("{at}[{index}]"),
                !words[..index].contains(word),
                "each component once",
                format!("`{word}` again"),
            );
        }
        // What is unknown may have any width.
        if let Some(numbers) = numbers {
            problems.require(
                format!("observation `{}`.shape", self.name),
                self.shape == [numbers],
                format!("[{numbers}], what its components hold"),
                format!("{:?}", self.shape),
            );
        }
    }

    /// What a `robot_state` holds; words that are not known are left out.
    pub(super) fn state_components(&self) -> Vec<StateComponent> {
        let Some(words) = &self.components else {
            return StateComponent::DEFAULT.to_vec();
        };
        let known = |word: &String| {
            let mut all = StateComponent::ALL.into_iter();
            all.find(|component| component.as_str() == word)
        };
        words.iter().filter_map(known).collect()
    }
}
