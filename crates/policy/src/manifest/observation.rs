//! What the encoder sees.

use serde::Deserialize;
use tiller_core::{Problems, StateComponent};

use crate::text::{PLACE, STATE_PLACE};

/// Longest side of a picture that is accepted, pixels.
const MAX_IMAGE_SIDE: usize = 4096;
/// Longest state that is accepted.
const MAX_STATE: usize = 1024;

/// The source of the robot's own state.
pub(crate) const ROBOT_STATE: &str = "robot_state";
/// The source of what the robot is told to do.
pub(crate) const INSTRUCTION: &str = "instruction";
/// Most tokens of a text that are accepted.
const MAX_TOKENS: usize = 1024;
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
    /// What the robot is told to do, as at most `[n]` tokens.
    Text,
}

/// One input of the encoder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservationInput {
    /// Name of the encoder's input, e.g. `observation.images.static`.
    pub name: String,
    /// Picture, state or text.
    pub kind: ObservationKind,
    /// Where it comes from: a camera's name; of a state `robot_state`, or `environment_state`, what a
    /// simulation knows beside it, as some LeRobot policies see it; of a text `instruction`.
    pub source: String,
    /// What a `robot_state` holds, one after the other: `position`, `rotation_6d`, `rotation_vector`,
    /// `gripper_width` or `fingers`; [`StateComponent::DEFAULT`] when left out.
    pub components: Option<Vec<String>>,
    /// Shape without the batch: `[3, height, width]` or `[n]`.
    pub shape: Vec<usize>,
    /// Subtracted: per channel of a picture scaled to [0, 1], or per number of a state; a text has none.
    #[serde(default)]
    pub mean: Vec<f32>,
    /// Divided by, after the mean was subtracted.
    #[serde(default)]
    pub std: Vec<f32>,
    /// Of a text: the encoder's input that says which tokens are there, bool `[1, n]`. The tokens
    /// themselves are int64.
    pub mask: Option<String>,
    /// Of a text: what the tokenizer reads, with `{instruction}` for what the robot is told to do.
    pub template: Option<String>,
    /// Of a text: characters of the instruction that the policy knows as spaces.
    #[serde(default)]
    pub spaces: Vec<char>,
    /// Of a text with `{state}` in its template: how the robot's state is written.
    pub state: Option<WrittenState>,
}

/// The robot's state as words of a text: each number normalised, and the bin of [-1, 1] that it is in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenState {
    /// What it holds, as an observation says it.
    pub components: Option<Vec<String>>,
    /// Subtracted from each number.
    pub mean: Vec<f32>,
    /// Divided by, after the mean was subtracted.
    pub std: Vec<f32>,
    /// Bins of [-1, 1]: they are written from 0 up to one less, what is below them as -1.
    pub bins: u16,
    /// How many numbers are written, of which those that the state has not are 0; as many as it has when left
    /// out.
    pub numbers: Option<usize>,
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
            (ObservationKind::Text, _) => return self.check_text(problems),
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
        let why = "of what is no text";
        problems.absent(&at("mask"), &self.mask, why);
        problems.absent(&at("template"), &self.template, why);
        problems.absent(&at("state"), &self.state, why);
        let spaces = format!("{:?}", self.spaces);
        problems.require(
            at("spaces"),
            self.spaces.is_empty(),
            "none of what is no text",
            spaces,
        );
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

    fn check_text(&self, problems: &mut Problems) {
        let at = |field: &str| format!("observation `{}`.{field}", self.name);
        let _ = problems.choice(at("source"), &self.source, &[(INSTRUCTION, ())]);
        problems.require(
            at("shape"),
            matches!(self.shape.as_slice(), [tokens] if (1..=MAX_TOKENS).contains(tokens)),
            format!("[n] with n from 1 to {MAX_TOKENS}"),
            format!("{:?}", self.shape),
        );
        let why = "of a text";
        problems.absent(&at("components"), &self.components, why);
        for (field, numbers) in [("mean", &self.mean), ("std", &self.std)] {
            problems.require(
                at(field),
                numbers.is_empty(),
                "none of a text",
                format!("{numbers:?}"),
            );
        }
        if let Some(mask) = problems.present(&at("mask"), self.mask.as_deref(), why) {
            problems.name(at("mask"), mask);
        }
        if let Some(template) = problems.present(&at("template"), self.template.as_deref(), why) {
            let states = usize::from(self.state.is_some());
            let counts = [PLACE, STATE_PLACE].map(|place| template.matches(place).count());
            problems.require(
                at("template"),
                counts == [1, states],
                match states {
                    0 => format!("a text with one {PLACE}, and no {STATE_PLACE} without `state`"),
                    _ => format!("a text with one {PLACE} and one {STATE_PLACE}"),
                },
                format!("{template:?}"),
            );
        }
        if let Some(state) = &self.state {
            self.check_state(state, problems);
        }
    }

    fn check_state(&self, state: &WrittenState, problems: &mut Problems) {
        let at = format!("observation `{}`.state", self.name);
        let count = state.mean.len();
        problems.range(format!("{at}.mean's numbers"), count, 1, MAX_STATE);
        problems.numbers(&format!("{at}.mean"), &state.mean, count);
        problems.numbers(&format!("{at}.std"), &state.std, count);
        problems.require(
            format!("{at}.std"),
            state.std.iter().all(|std| *std > 0.0),
            "positive numbers",
            format!("{:?}", state.std),
        );
        problems.range(
            format!("{at}.bins"),
            usize::from(state.bins),
            2,
            usize::from(u16::MAX),
        );
        let numbers = state.numbers.unwrap_or(count);
        problems.range(format!("{at}.numbers"), numbers, count, MAX_STATE);
        if let Some(words) = &state.components {
            check_words(&at, words, &format!("{at}.mean"), &[count], problems);
        }
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
        let name = format!("observation `{}`", self.name);
        check_words(
            &name,
            words,
            &format!("{name}.shape"),
            &self.shape,
            problems,
        );
    }

    /// What a `robot_state` holds; words that are not known are left out.
    pub(super) fn state_components(&self) -> Vec<StateComponent> {
        let own = self
            .state
            .as_ref()
            .map_or(&self.components, |state| &state.components);
        let Some(words) = own else {
            return StateComponent::DEFAULT.to_vec();
        };
        let known = |word: &String| {
            let mut all = StateComponent::ALL.into_iter();
            all.find(|component| component.as_str() == word)
        };
        words.iter().filter_map(known).collect()
    }
}

/// The components of a state; together they must have its shape.
fn check_words(
    name: &str,
    words: &[String],
    shape_at: &str,
    shape: &[usize],
    problems: &mut Problems,
) {
    let at = format!("{name}.components");
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
            shape_at,
            shape == [numbers],
            format!("[{numbers}], what its components hold"),
            format!("{shape:?}"),
        );
    }
}
