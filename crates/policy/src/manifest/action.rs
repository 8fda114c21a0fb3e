//! Layout and normalisation of actions.

use serde::Deserialize;
use tiller_steering::ActionSpace;

use super::problems::Problems;

/// Widest action that is accepted.
const MAX_ACTION_DIM: usize = 64;

/// Layout and normalisation of one action. Columns count from 0.
///
/// With `min` and `max` the network's numbers are in [-1, 1], and column `i` unnormalises to
/// `x * (max[i] - min[i]) / 2 + (max[i] + min[i]) / 2`; with `mean` and `std` to
/// `x * std[i] + mean[i]`.
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
    /// The columns of the rotation, if there are any. Rewards see positions only, so rotations are
    /// the policy's own.
    #[serde(default)]
    pub rotation: Vec<usize>,
    /// Whether positions are steps or places.
    pub mode: ActionMode,
    /// Value of each column at -1.
    pub min: Option<Vec<f32>>,
    /// Value of each column at +1.
    pub max: Option<Vec<f32>>,
    /// Mean of each column.
    pub mean: Option<Vec<f32>>,
    /// Deviation of each column.
    pub std: Option<Vec<f32>>,
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

impl Action {
    pub(super) fn check(&self, problems: &mut Problems) {
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
        for (index, column) in self.rotation.iter().enumerate() {
            let taken = self.position.contains(column)
                || self.gripper == Some(*column)
                || self.rotation[..index].contains(column);
            problems.require(
                format!("action.rotation[{index}]"),
                *column < self.dim && !taken,
                format!("a column below {} that holds nothing else", self.dim),
                column,
            );
        }
        self.check_normalisation(problems);
        problems.literal("action.frame", &self.frame, "base");
    }

    fn check_normalisation(&self, problems: &mut Problems) {
        let either = "either min and max or mean and std";
        let columns = [
            ("action.min", &self.min),
            ("action.max", &self.max),
            ("action.mean", &self.mean),
            ("action.std", &self.std),
        ];
        let given: Vec<_> = columns
            .iter()
            .filter(|(_, numbers)| numbers.is_some())
            .map(|(at, _)| *at)
            .collect();
        let pairs: [&[&str]; 2] = [
            &["action.min", "action.max"],
            &["action.mean", "action.std"],
        ];
        problems.require(
            "action",
            pairs.contains(&given.as_slice()),
            either,
            if given.is_empty() {
                "none of them".to_owned()
            } else {
                given.join(", ")
            },
        );
        for (at, numbers) in columns {
            if let Some(numbers) = numbers {
                problems.numbers(at, numbers, self.dim);
            }
        }
        let ranges = self.min.iter().flatten().zip(self.max.iter().flatten());
        for (column, (min, max)) in ranges.enumerate() {
            problems.require(
                format!("action.min[{column}]"),
                min < max,
                format!("less than action.max[{column}] = {max}"),
                min,
            );
        }
        for (column, std) in self.std.iter().flatten().enumerate() {
            problems.require(
                format!("action.std[{column}]"),
                *std > 0.0,
                "a positive number",
                std,
            );
        }
    }

    /// Whether the network's numbers are in [-1, 1].
    pub(super) fn is_bounded(&self) -> bool {
        self.min.is_some()
    }

    /// What the columns mean, for messages and motion.
    #[must_use]
    pub fn layout(&self, rate_hz: f64) -> tiller_core::ActionLayout {
        tiller_core::ActionLayout::position_deltas(self.dim, self.position, self.gripper, rate_hz)
    }

    /// The layout for the sampler. Of a sound manifest; columns without numbers are left out.
    #[must_use]
    pub fn space(&self) -> ActionSpace {
        let mode = match self.mode {
            ActionMode::Delta => tiller_steering::ActionMode::Delta,
            ActionMode::Absolute => tiller_steering::ActionMode::Absolute,
        };
        let numbers = |numbers: &Option<Vec<f32>>| numbers.clone().unwrap_or_default();
        let space = if self.is_bounded() {
            let (min, max) = (numbers(&self.min), numbers(&self.max));
            ActionSpace::from_min_max(self.position, self.gripper, &min, &max, mode)
        } else {
            let (mean, std) = (numbers(&self.mean), numbers(&self.std));
            ActionSpace::from_mean_std(self.position, self.gripper, &mean, &std, mode)
        };
        ActionSpace {
            rotation_columns: self.rotation.clone(),
            ..space
        }
    }
}
