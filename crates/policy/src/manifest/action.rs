//! Layout and normalisation of actions.

use serde::Deserialize;
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Frame, GripperColumn, Problems, RotationColumns,
    RotationKind,
};
use tiller_steering::{ActionSpace, Guide};

/// Layout and normalisation of one action, the table `[action]`. Columns count from 0; each must
/// belong to something or be named in `ignored`.
///
/// With `min` and `max` the network's numbers are in [-1, 1], and column `i` unnormalises to
/// `x * (max[i] - min[i]) / 2 + (max[i] + min[i]) / 2`; with `mean` and `std` to
/// `x * std[i] + mean[i]`. What is then in a column means what [`ActionLayout`] says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// D: numbers in an action.
    pub dim: usize,
    /// The columns of x, y and z.
    pub position: Option<[usize; 3]>,
    /// The columns of the rotation; without, the orientation stays as it is.
    pub rotation: Option<Rotation>,
    /// The columns of the joints 1 to 7, in place of position and rotation.
    pub joints: Option<Vec<usize>>,
    /// The column of the gripper, if the policy drives one.
    pub gripper: Option<Gripper>,
    /// Columns that mean nothing here, such as a terminate flag.
    #[serde(default)]
    pub ignored: Vec<usize>,
    /// `delta_pose_base`, `delta_pose_tool`, `absolute_pose`, `joint_position` or `joint_velocity`;
    /// `delta` and `absolute` are poses in `frame`.
    pub mode: String,
    /// Frame of a pose: `base`, also when left out, the robot's base; with displacements also `tool`.
    pub frame: Option<String>,
    /// Metres that 1 in a position column stands for; 1 when left out.
    pub position_m_per_unit: Option<f64>,
    /// Radians that 1 in a rotation or joint column stands for; 1 when left out.
    pub rotation_rad_per_unit: Option<f64>,
    /// The policy's own controller clips the arm's columns to `[-clip, clip]`, before units.
    pub clip: Option<f64>,
    /// Which blocks of columns guidance may move: `position` (or the joints) always, `rotation` and
    /// `gripper` if they are named; only the position when left out.
    pub guide: Option<Vec<String>>,
    /// Value of each column at -1.
    pub min: Option<Vec<f32>>,
    /// Value of each column at +1.
    pub max: Option<Vec<f32>>,
    /// Mean of each column.
    pub mean: Option<Vec<f32>>,
    /// Deviation of each column.
    pub std: Option<Vec<f32>>,
}

/// The columns of a rotation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected `{ columns = [..], kind = \"..\" }`")]
pub enum Rotation {
    /// With what they spell.
    Spelled(Spelling),
    /// Without: nobody knows what they mean.
    Unspelled(Vec<usize>),
}

/// Columns and how they spell a rotation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spelling {
    /// As many as the kind has numbers.
    pub columns: Vec<usize>,
    /// `rotation_vector`, `euler_xyz`, `quaternion_wxyz`, `quaternion_xyzw` or `matrix_6d`.
    pub kind: String,
}

/// The column of the gripper.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a column, or `{ column = .., open = .., closed = .. }`"
)]
pub enum Gripper {
    /// -1 closed to +1 open.
    Column(usize),
    /// With its own values.
    Values(GripperColumn),
}

impl Action {
    /// What the table means; `None` when it adds to `problems`. `rate_hz` is the manifest's.
    pub(super) fn read(
        &self,
        rate_hz: f64,
        problems: &mut Problems,
    ) -> Option<(ActionSpace, Guide)> {
        let before = problems.found.len();
        let arm = self.read_arm(problems);
        let joints = self.joints.is_some();
        let mode = self.read_mode(joints, problems);
        let guide = self.read_guide(joints, problems);
        self.check_normalisation(problems);
        let layout = ActionLayout {
            dim: self.dim,
            // Without columns for the arm there is nothing to hold the others against.
            arm: arm?,
            gripper: self.gripper.map(Gripper::column),
            mode: mode.unwrap_or(match joints {
                true => ActionMode::JointPosition,
                false => ActionMode::AbsolutePose,
            }),
            position_m_per_unit: self.position_m_per_unit.unwrap_or(1.0),
            rotation_rad_per_unit: self.rotation_rad_per_unit.unwrap_or(1.0),
            clip: self.clip,
            // A rate that cannot be used is the manifest's own problem.
            rate_hz: if rate_hz.is_finite() && rate_hz > 0.0 {
                rate_hz
            } else {
                1.0
            },
            ignored: self.ignored.clone(),
        };
        problems.extend("action.", layout.problems());
        let numbers = |numbers: &Option<Vec<f32>>| numbers.clone().unwrap_or_default();
        let space = if self.is_bounded() {
            ActionSpace::from_min_max(layout, &numbers(&self.min), &numbers(&self.max))
        } else {
            ActionSpace::from_mean_std(layout, &numbers(&self.mean), &numbers(&self.std))
        };
        (problems.found.len() == before).then_some((space, guide))
    }

    fn read_arm(&self, problems: &mut Problems) -> Option<ArmColumns> {
        if let Some(joints) = &self.joints {
            let why = "beside action.joints";
            problems.absent("action.position", &self.position, why);
            problems.absent("action.rotation", &self.rotation, why);
            let columns = joints.as_slice().try_into();
            if columns.is_err() {
                problems.push("action.joints", "7 columns", joints.len());
            }
            return columns.ok().map(ArmColumns::Joints);
        }
        let position = self.position;
        if position.is_none() {
            problems.missing(
                "action.position",
                "the columns of x, y and z, or action.joints",
            );
        }
        let rotation = match &self.rotation {
            None => None,
            Some(Rotation::Unspelled(columns)) => {
                problems.push(
                    "action.rotation",
                    "columns and their kind, or the columns in action.ignored",
                    format!("{columns:?}"),
                );
                return None;
            }
            Some(Rotation::Spelled(spelling)) => {
                let kinds = RotationKind::ALL.map(|kind| (kind.as_str(), kind));
                let kind = problems.choice("action.rotation.kind", &spelling.kind, &kinds)?;
                Some(RotationColumns {
                    columns: spelling.columns.clone(),
                    kind,
                })
            }
        };
        Some(ArmColumns::Pose {
            position: position?,
            rotation,
        })
    }

    fn read_mode(&self, joints: bool, problems: &mut Problems) -> Option<ActionMode> {
        if joints {
            problems.absent("action.frame", &self.frame, "with action.joints");
        }
        let frames = [("base", Frame::Base), ("tool", Frame::Tool)];
        let frame = match &self.frame {
            Some(frame) if !joints => problems.choice("action.frame", frame, &frames)?,
            _ => Frame::Base,
        };
        let mut words = ActionMode::ALL.map(|mode| (mode.as_str(), mode)).to_vec();
        words.push(("delta", ActionMode::DeltaPose(frame)));
        words.push(("absolute", ActionMode::AbsolutePose));
        let mode = problems.choice("action.mode", &self.mode, &words)?;
        let own = match mode {
            ActionMode::DeltaPose(own) => own,
            _ => Frame::Base,
        };
        if self.frame.is_some() && !joints && own != frame {
            let found = format!("`{}`", self.frame.as_deref().unwrap_or_default());
            let expected = match own {
                Frame::Base => "`base`",
                Frame::Tool => "`tool`",
            };
            problems.push(
                "action.frame",
                format!("{expected} with the mode `{}`", self.mode),
                found,
            );
        }
        Some(mode)
    }

    fn read_guide(&self, joints: bool, problems: &mut Problems) -> Guide {
        let mut guide = Guide::default();
        let Some(words) = &self.guide else {
            return guide;
        };
        for word in words {
            let blocks = [("position", 0), ("rotation", 1), ("gripper", 2)];
            match problems.choice("action.guide", word, &blocks) {
                Some(1) => guide.rotation = true,
                Some(2) => guide.gripper = true,
                _ => {}
            }
        }
        let has = |word: &str| words.iter().any(|other| other == word);
        problems.require(
            "action.guide",
            has("position"),
            "`position` among others: guidance always moves it",
            format!("{words:?}"),
        );
        problems.require(
            "action.guide",
            !guide.rotation || joints || self.rotation.is_some(),
            "blocks that the action has",
            "`rotation`",
        );
        problems.require(
            "action.guide",
            !guide.gripper || self.gripper.is_some(),
            "blocks that the action has",
            "`gripper`",
        );
        guide
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
}

impl Gripper {
    /// The column with its values.
    #[must_use]
    pub fn column(self) -> GripperColumn {
        match self {
            Self::Column(column) => GripperColumn {
                column,
                open: 1.0,
                closed: -1.0,
            },
            Self::Values(values) => values,
        }
    }
}
