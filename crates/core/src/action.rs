//! What the columns of an action mean, from a policy's manifest to the arm's motion.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::{JOINTS, Problems};

/// Widest action that is accepted.
const MAX_DIM: usize = 64;

/// The meaning of every column of an unnormalised action. Columns count from 0.
///
/// No column is dropped in silence: each belongs to the arm or the gripper or is named in `ignored`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionLayout {
    /// Numbers in an action, D.
    pub dim: usize,
    /// What moves the arm.
    pub arm: ArmColumns,
    /// What moves the gripper, if the policy drives one.
    pub gripper: Option<GripperColumn>,
    /// How the arm's columns are to be read.
    pub mode: ActionMode,
    /// Metres that 1 in a position column stands for; 1 where the columns are in metres. A
    /// controller such as robosuite's OSC scales by 0.05.
    pub position_m_per_unit: f64,
    /// Radians that 1 in a rotation or joint column stands for; 1 where the columns are in radians.
    pub rotation_rad_per_unit: f64,
    /// The policy's own controller clips arm columns to `[-clip, clip]` before scaling.
    pub clip: Option<f64>,
    /// Actions a second, Hz.
    pub rate_hz: f64,
    /// Columns that are understood to mean nothing here, such as a terminate flag.
    pub ignored: Vec<usize>,
}

/// The columns that move the arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArmColumns {
    /// The tool's pose or displacement.
    Pose {
        /// x, y and z.
        position: [usize; 3],
        /// The rotation; without, the orientation stays as it is.
        rotation: Option<RotationColumns>,
    },
    /// The joints 1 to 7.
    Joints([usize; JOINTS]),
}

/// The columns of a rotation and how they spell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationColumns {
    /// As many as [`RotationKind::width`] says.
    pub columns: Vec<usize>,
    /// How they spell the rotation.
    pub kind: RotationKind,
}

/// How numbers spell a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationKind {
    /// Axis times angle, rad, 3 numbers.
    RotationVector,
    /// Angles about the fixed axes x, then y, then z, rad: `R = Rz(c) Ry(b) Rx(a)`, 3 numbers.
    EulerXyz,
    /// Quaternion w, x, y, z; normalised when read.
    QuaternionWxyz,
    /// Quaternion x, y, z, w; normalised when read.
    QuaternionXyzw,
    /// The first two columns of the matrix, made orthonormal when read (Zhou et al., "On the
    /// Continuity of Rotation Representations in Neural Networks", 2019), 6 numbers.
    #[serde(rename = "matrix_6d")]
    Matrix6d,
}

impl RotationKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::RotationVector,
        Self::EulerXyz,
        Self::QuaternionWxyz,
        Self::QuaternionXyzw,
        Self::Matrix6d,
    ];

    /// Numbers that spell one rotation.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::RotationVector | Self::EulerXyz => 3,
            Self::QuaternionWxyz | Self::QuaternionXyzw => 4,
            Self::Matrix6d => 6,
        }
    }

    /// The word in manifests and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RotationVector => "rotation_vector",
            Self::EulerXyz => "euler_xyz",
            Self::QuaternionWxyz => "quaternion_wxyz",
            Self::QuaternionXyzw => "quaternion_xyzw",
            Self::Matrix6d => "matrix_6d",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The gripper's column and what its values mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GripperColumn {
    /// Which column.
    pub column: usize,
    /// The value that means fully open.
    pub open: f64,
    /// The value that means closed.
    pub closed: f64,
}

impl GripperColumn {
    /// Opening that a value stands for: 0 closed, 1 open; linear between and beyond.
    #[must_use]
    pub fn opening(&self, value: f64) -> f64 {
        (value - self.closed) / (self.open - self.closed)
    }
}

/// The frame that a displacement is expressed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The robot's base.
    Base,
    /// The tool, as it is when the step begins.
    Tool,
}

/// How the arm's columns are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionMode {
    /// A displacement of the pose in each step: `p + d`, `R_d R` in the base frame; `p + R d`,
    /// `R R_d` in the tool frame.
    DeltaPose(Frame),
    /// The pose in the base frame at the end of each step.
    AbsolutePose,
    /// Joint positions at the end of each step, rad.
    JointPosition,
    /// Joint velocities during each step, rad/s.
    JointVelocity,
}

impl ActionMode {
    /// All modes.
    pub const ALL: [Self; 5] = [
        Self::DeltaPose(Frame::Base),
        Self::DeltaPose(Frame::Tool),
        Self::AbsolutePose,
        Self::JointPosition,
        Self::JointVelocity,
    ];

    /// The word in manifests and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeltaPose(Frame::Base) => "delta_pose_base",
            Self::DeltaPose(Frame::Tool) => "delta_pose_tool",
            Self::AbsolutePose => "absolute_pose",
            Self::JointPosition => "joint_position",
            Self::JointVelocity => "joint_velocity",
        }
    }

    /// The mode of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }

    /// Whether the arm's columns are joints.
    #[must_use]
    pub fn is_joints(self) -> bool {
        matches!(self, Self::JointPosition | Self::JointVelocity)
    }
}

impl Default for ActionLayout {
    /// Three columns of displacements in the base frame, m, at 10 Hz.
    fn default() -> Self {
        Self::position_deltas(3, [0, 1, 2], None, 10.0)
    }
}

impl ActionLayout {
    /// Displacements of the position in the base frame, m, with the orientation left as it is; the
    /// gripper, if any, from -1 (closed) to +1 (open).
    #[must_use]
    pub fn position_deltas(
        dim: usize,
        position: [usize; 3],
        gripper: Option<usize>,
        rate_hz: f64,
    ) -> Self {
        Self {
            dim,
            arm: ArmColumns::Pose {
                position,
                rotation: None,
            },
            gripper: gripper.map(|column| GripperColumn {
                column,
                open: 1.0,
                closed: -1.0,
            }),
            mode: ActionMode::DeltaPose(Frame::Base),
            position_m_per_unit: 1.0,
            rotation_rad_per_unit: 1.0,
            clip: None,
            rate_hz,
            ignored: Vec::new(),
        }
    }

    /// As [`Self::position_deltas`], with the hand turned too: a rotation vector in the base frame, rad.
    #[must_use]
    pub fn pose_deltas(
        dim: usize,
        position: [usize; 3],
        rotation: [usize; 3],
        gripper: Option<usize>,
        rate_hz: f64,
    ) -> Self {
        let rotation = RotationColumns {
            columns: rotation.to_vec(),
            kind: RotationKind::RotationVector,
        };
        Self {
            arm: ArmColumns::Pose {
                position,
                rotation: Some(rotation),
            },
            ..Self::position_deltas(dim, position, gripper, rate_hz)
        }
    }

    /// The columns that move the arm.
    #[must_use]
    pub fn arm_columns(&self) -> Vec<usize> {
        match &self.arm {
            ArmColumns::Pose { position, rotation } => {
                let rotation = rotation.iter().flat_map(|r| r.columns.iter());
                position.iter().chain(rotation).copied().collect()
            }
            ArmColumns::Joints(columns) => columns.to_vec(),
        }
    }

    /// Everything that is wrong with the layout, names as in a manifest's `[action]`.
    #[must_use]
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        problems.require(
            "dim",
            (1..=MAX_DIM).contains(&self.dim),
            format!("1 to {MAX_DIM}"),
            self.dim,
        );
        self.check_columns(&mut problems);
        self.check_mode(&mut problems);
        self.check_numbers(&mut problems);
        problems
    }

    /// The keys that name columns, and the columns.
    fn named_columns(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let (position, joints, rotation): (&[usize], &[usize], &[usize]) = match &self.arm {
            ArmColumns::Pose { position, rotation } => {
                let rotation = rotation.as_ref().map(|r| r.columns.as_slice());
                (position, &[], rotation.unwrap_or_default())
            }
            ArmColumns::Joints(joints) => (&[], joints, &[]),
        };
        let gripper = self.gripper.map(|gripper| gripper.column);
        let named = |name, columns: &[usize]| {
            let columns: Vec<_> = columns.iter().map(|column| (name, *column)).collect();
            columns.into_iter()
        };
        named("position", position)
            .chain(named("rotation.columns", rotation))
            .chain(named("joints", joints))
            .chain(named("gripper", gripper.as_slice()))
            .chain(named("ignored", &self.ignored))
    }

    fn check_columns(&self, problems: &mut Problems) {
        if let ArmColumns::Pose {
            rotation: Some(rotation),
            ..
        } = &self.arm
        {
            problems.require(
                "rotation.columns",
                rotation.columns.len() == rotation.kind.width(),
                format!(
                    "{} columns for `{}`",
                    rotation.kind.width(),
                    rotation.kind.as_str()
                ),
                rotation.columns.len(),
            );
        }
        if !(1..=MAX_DIM).contains(&self.dim) {
            return;
        }
        let mut owners: Vec<Option<&str>> = vec![None; self.dim];
        for (name, column) in self.named_columns() {
            match owners.get_mut(column) {
                None => problems.push(name, format!("columns below {}", self.dim), column),
                Some(Some(owner)) => problems.push(
                    name,
                    "columns that nothing else has",
                    format!("column {column}, which `{owner}` has"),
                ),
                Some(free) => *free = Some(name),
            }
        }
        let unknown = owners
            .iter()
            .enumerate()
            .filter(|(_, owner)| owner.is_none());
        for (column, _) in unknown {
            problems.push(
                "ignored",
                "every column that is no position, rotation, joint or gripper",
                format!("column {column} nowhere"),
            );
        }
    }

    fn check_mode(&self, problems: &mut Problems) {
        let joints = matches!(self.arm, ArmColumns::Joints(_));
        problems.require(
            "mode",
            joints == self.mode.is_joints(),
            if joints {
                "`joint_position` or `joint_velocity` for joint columns"
            } else {
                "`delta_pose_base`, `delta_pose_tool` or `absolute_pose` for pose columns"
            },
            format!("`{}`", self.mode.as_str()),
        );
    }

    fn check_numbers(&self, problems: &mut Problems) {
        if let ArmColumns::Pose {
            rotation: Some(rotation),
            ..
        } = &self.arm
        {
            problems.require(
                "rotation_rad_per_unit",
                rotation.kind.is_angles() || self.rotation_rad_per_unit == 1.0,
                format!("1 with `{}`, which has no angles", rotation.kind.as_str()),
                self.rotation_rad_per_unit,
            );
        }
        let positive = [
            ("position_m_per_unit", Some(self.position_m_per_unit)),
            ("rotation_rad_per_unit", Some(self.rotation_rad_per_unit)),
            ("rate_hz", Some(self.rate_hz)),
            ("clip", self.clip),
        ];
        for (name, value) in positive {
            if let Some(value) = value {
                problems.number(name, value, (Bound::Excluded(0.0), Bound::Unbounded));
            }
        }
        if let Some(gripper) = self.gripper {
            problems.require(
                "gripper",
                gripper.open.is_finite()
                    && gripper.closed.is_finite()
                    && gripper.open != gripper.closed,
                "two different finite values for open and closed",
                format!("{} and {}", gripper.open, gripper.closed),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_nobody_understands_is_named() {
        let mut layout = ActionLayout::position_deltas(7, [0, 1, 2], Some(6), 10.0);
        let text = layout.problems().to_string();
        assert!(text.contains("found column 3 nowhere"), "{text}");
        layout.ignored = vec![3, 4, 5];
        assert!(layout.problems().is_empty());
    }

    #[test]
    fn every_mistake_is_reported() {
        let layout = ActionLayout {
            arm: ArmColumns::Pose {
                position: [0, 0, 9],
                rotation: Some(RotationColumns {
                    columns: vec![3, 4],
                    kind: RotationKind::Matrix6d,
                }),
            },
            mode: ActionMode::JointVelocity,
            rate_hz: f64::NAN,
            gripper: Some(GripperColumn {
                column: 5,
                open: 1.0,
                closed: 1.0,
            }),
            ..ActionLayout::position_deltas(6, [0, 1, 2], None, 10.0)
        };
        // Six columns: width, 9, 0 twice, 1 and 2 nowhere, mode, rate, gripper.
        assert_eq!(layout.problems().found.len(), 8, "{}", layout.problems());
    }

    #[test]
    fn columns_and_mode_must_be_of_one_kind() {
        let pose = ActionLayout::position_deltas(7, [0, 1, 2], None, 10.0);
        let joints = ArmColumns::Joints(std::array::from_fn(|joint| joint));
        for (arm, mode) in [
            (joints, ActionMode::AbsolutePose),
            (pose.arm.clone(), ActionMode::JointPosition),
        ] {
            let layout = ActionLayout {
                arm,
                mode,
                ignored: vec![],
                ..pose.clone()
            };
            let text = layout.problems().to_string();
            assert!(text.contains("mode: expected"), "{text}");
        }
    }

    #[test]
    fn a_scale_belongs_to_angles_only() {
        let rotated = |kind: RotationKind| ActionLayout {
            arm: ArmColumns::Pose {
                position: [0, 1, 2],
                rotation: Some(RotationColumns {
                    columns: (3..3 + kind.width()).collect(),
                    kind,
                }),
            },
            rotation_rad_per_unit: 0.5,
            ..ActionLayout::position_deltas(3 + kind.width(), [0, 1, 2], None, 10.0)
        };
        for kind in RotationKind::ALL {
            let is_sound = rotated(kind).problems().is_empty();
            assert_eq!(is_sound, kind.is_angles(), "{kind:?}");
        }
    }

    #[test]
    fn words_are_read_back() {
        for kind in RotationKind::ALL {
            assert_eq!(RotationKind::from_name(kind.as_str()), Some(kind));
        }
        for mode in ActionMode::ALL {
            assert_eq!(ActionMode::from_name(mode.as_str()), Some(mode));
        }
    }

    #[test]
    fn a_gripper_opens_the_way_its_values_say() {
        let inverted = GripperColumn {
            column: 0,
            open: -1.0,
            closed: 1.0,
        };
        assert_eq!([inverted.opening(-1.0), inverted.opening(1.0)], [1.0, 0.0]);
    }
}
