//! The limits of the robots and of the work cell, in one table with sources.
//!
//! Sources: joint and Cartesian rows are Franka Robotics' published interface specifications for
//! the Panda (FER) and the FR3 ("Robot and interface specifications" of the FCI documentation). For
//! the FR3 the rectangular position and velocity limits are used: they hold at every posture.

use tiller_core::{Problems, WorkspaceBox};

use crate::kinematics::{JOINTS, JointVector};
pub use crate::workspace::Workspace;

/// More clearance than this leaves a folded arm no room, m.
const MOST_CLEARANCE_M: f64 = 0.1;

/// A table that is further up or down than this is none of this arm's, m.
const MOST_TABLE_HEIGHT_M: f64 = 1.0;

/// The robots whose limits are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Robot {
    /// Franka Emika Panda (FER).
    Panda,
    /// Franka Research 3.
    Fr3,
}

/// What the joints can do; every row has one entry a joint.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct JointLimits {
    /// Lowest position, rad.
    pub position_min_rad: JointVector,
    /// Highest position, rad.
    pub position_max_rad: JointVector,
    /// Highest speed, rad/s.
    pub velocity_rad_s: JointVector,
    /// Highest acceleration, rad/s2.
    pub acceleration_rad_s2: JointVector,
    /// Highest jerk, rad/s3.
    pub jerk_rad_s3: JointVector,
}

/// What the TCP can do.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CartesianLimits {
    /// Highest translation speed, m/s.
    pub speed_m_s: f64,
    /// Highest translation acceleration, m/s2.
    pub acceleration_m_s2: f64,
    /// Highest translation jerk, m/s3.
    pub jerk_m_s3: f64,
    /// Highest rotation speed, rad/s.
    pub rotation_speed_rad_s: f64,
    /// Highest rotation acceleration, rad/s2.
    pub rotation_acceleration_rad_s2: f64,
    /// Highest rotation jerk, rad/s3.
    pub rotation_jerk_rad_s3: f64,
}

/// What the hand can do.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HandLimits {
    /// Grasping force that it can hold, N.
    pub force_n: f64,
    /// Highest force, for a moment, N.
    pub peak_force_n: f64,
    /// Furthest opening, m.
    pub width_m: f64,
    /// Highest speed of the opening, both fingers together, m/s.
    pub speed_m_s: f64,
}

/// The Franka Hand, on either robot.
pub const HAND: HandLimits = HandLimits {
    force_n: 70.0,
    peak_force_n: 140.0,
    width_m: 0.08,
    speed_m_s: 0.1,
};

/// The share of the robot's limits that motion may use; 1 would leave no room for the controller.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OperatingFraction {
    /// Of every speed.
    pub velocity: f64,
    /// Of every acceleration.
    pub acceleration: f64,
    /// Of every jerk.
    pub jerk: f64,
}

/// Distances that the robot's body keeps, whatever moves it; what of its room its links take up is
/// [`CAPSULES`](crate::body::CAPSULES).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Clearance {
    /// Least distance between links that could touch, m.
    pub between_links_m: f64,
    /// Height of the table in the base frame, m; none where there is no table, or where what stands
    /// on it is the matter of a simulator.
    pub table_height_m: Option<f64>,
    /// Least height of the links over it, m.
    pub above_table_m: f64,
    /// Least height of the fingertips over it, m: they are to take things from it.
    pub fingers_above_table_m: f64,
}

/// Everything a command is checked against.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Whose limits these are.
    pub robot: Robot,
    /// The joints' hard limits.
    pub joint: JointLimits,
    /// The TCP's hard limits.
    pub cartesian: CartesianLimits,
    /// The share of both that motion may use.
    pub operating: OperatingFraction,
    /// Distance that joint positions keep from their hard limits, rad.
    pub position_margin_rad: f64,
    /// Where the TCP may be sent.
    pub workspace: Workspace,
    /// What the body keeps clear of.
    pub clearance: Clearance,
    /// Longest displacement in one action step, m.
    pub max_step_m: f64,
    /// Largest turn in one action step, rad.
    pub max_step_rad: f64,
    /// Longest way of a joint in one action step, rad.
    pub max_joint_step_rad: f64,
    /// Largest distance between a chunk's anchor and the actuator's, m: the step between chunks.
    pub max_anchor_gap_m: f64,
    /// Largest angle between a chunk's anchor and the actuator's, rad.
    pub max_anchor_gap_rad: f64,
}

impl Limits {
    /// The Panda's limits over the play table.
    pub fn panda() -> Self {
        Self {
            robot: Robot::Panda,
            joint: JointLimits {
                position_min_rad: [
                    -2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973,
                ],
                position_max_rad: [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973],
                velocity_rad_s: [2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61],
                acceleration_rad_s2: [15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0],
                jerk_rad_s3: [7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0],
            },
            cartesian: CartesianLimits {
                speed_m_s: 1.7,
                acceleration_m_s2: 13.0,
                jerk_m_s3: 6500.0,
                rotation_speed_rad_s: 2.5,
                rotation_acceleration_rad_s2: 25.0,
                rotation_jerk_rad_s3: 12500.0,
            },
            workspace: Workspace {
                min_reach_m: 0.23,
                ..Self::cell(Robot::Panda).workspace
            },
            ..Self::cell(Robot::Panda)
        }
    }

    /// The FR3's limits over the play table.
    pub fn fr3() -> Self {
        Self::cell(Robot::Fr3)
    }

    /// The work cell's part of the table, with the FR3's rows.
    fn cell(robot: Robot) -> Self {
        Self {
            robot,
            joint: JointLimits {
                position_min_rad: [-2.3476, -1.5454, -2.4937, -2.7714, -2.51, 0.7773, -2.7045],
                position_max_rad: [2.3476, 1.5454, 2.4937, -0.4226, 2.51, 4.2841, 2.7045],
                velocity_rad_s: [2.0, 1.0, 1.5, 1.25, 3.0, 1.5, 3.0],
                acceleration_rad_s2: [10.0; JOINTS],
                jerk_rad_s3: [5000.0; JOINTS],
            },
            cartesian: CartesianLimits {
                speed_m_s: 3.0,
                acceleration_m_s2: 9.0,
                jerk_m_s3: 4500.0,
                rotation_speed_rad_s: 2.5,
                rotation_acceleration_rad_s2: 17.0,
                rotation_jerk_rad_s3: 8500.0,
            },
            operating: OperatingFraction {
                velocity: 0.8,
                acceleration: 0.9,
                jerk: 0.5,
            },
            position_margin_rad: 0.02,
            workspace: Workspace {
                bounds: WorkspaceBox {
                    min_m: [0.2, -0.55, -0.35],
                    max_m: [0.9, 0.55, 0.75],
                },
                min_reach_m: 0.33,
                max_reach_m: 0.68,
            },
            clearance: Clearance {
                between_links_m: 0.02,
                table_height_m: None,
                above_table_m: 0.01,
                fingers_above_table_m: 0.001,
            },
            max_step_m: 0.055,
            max_step_rad: 0.25,
            max_joint_step_rad: 0.25,
            max_anchor_gap_m: 0.1,
            max_anchor_gap_rad: 0.35,
        }
    }

    /// Everything that makes these limits unusable or looser than the robot's; empty when sound.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::default();
        let hard = match self.robot {
            Robot::Panda => Self::panda(),
            Robot::Fr3 => Self::fr3(),
        };
        self.joint.compare(&hard.joint, &mut problems);
        self.cartesian.compare(&hard.cartesian, &mut problems);
        let bounds = &self.workspace.bounds;
        problems.require(
            "workspace.bounds",
            bounds.is_sound(),
            "a finite lower corner below the upper corner",
            format!("{:?} and {:?}", bounds.min_m, bounds.max_m),
        );
        let workspace = &self.workspace;
        within(
            &mut problems,
            &[
                ("operating.velocity", self.operating.velocity, 1.0),
                ("operating.acceleration", self.operating.acceleration, 1.0),
                ("operating.jerk", self.operating.jerk, 1.0),
                ("workspace.min_reach_m", workspace.min_reach_m, 0.5),
                ("workspace.max_reach_m", workspace.max_reach_m, 0.71),
                ("max_step_m", self.max_step_m, 0.2),
                ("max_step_rad", self.max_step_rad, 1.0),
                ("max_joint_step_rad", self.max_joint_step_rad, 1.0),
                ("max_anchor_gap_m", self.max_anchor_gap_m, 0.3),
                ("max_anchor_gap_rad", self.max_anchor_gap_rad, 1.0),
                ("position_margin_rad", self.position_margin_rad, 0.2),
            ],
        );
        self.clearance.compare(&hard.clearance, &mut problems);
        problems.require(
            "workspace.max_reach_m",
            workspace.min_reach_m < workspace.max_reach_m,
            format!("above the shortest reach, {}", workspace.min_reach_m),
            workspace.max_reach_m,
        );
        problems
    }
}

impl JointLimits {
    fn compare(&self, hard: &Self, problems: &mut Problems) {
        for joint in 0..JOINTS {
            let (low, high) = (self.position_min_rad[joint], self.position_max_rad[joint]);
            let (least, most) = (hard.position_min_rad[joint], hard.position_max_rad[joint]);
            problems.require(
                format!("joint {} position", joint + 1),
                low >= least && high <= most && low < high,
                format!("a range within {least} to {most}"),
                format!("{low} to {high}"),
            );
            for (value, most, name) in [
                (&self.velocity_rad_s, &hard.velocity_rad_s, "velocity"),
                (
                    &self.acceleration_rad_s2,
                    &hard.acceleration_rad_s2,
                    "acceleration",
                ),
                (&self.jerk_rad_s3, &hard.jerk_rad_s3, "jerk"),
            ] {
                let name = format!("joint {} {name}", joint + 1);
                within(problems, &[(&name, value[joint], most[joint])]);
            }
        }
    }
}

impl Clearance {
    fn compare(&self, hard: &Self, problems: &mut Problems) {
        for (name, value, least) in [
            (
                "clearance.between_links_m",
                self.between_links_m,
                hard.between_links_m,
            ),
            (
                "clearance.above_table_m",
                self.above_table_m,
                hard.above_table_m,
            ),
            (
                "clearance.fingers_above_table_m",
                self.fingers_above_table_m,
                hard.fingers_above_table_m,
            ),
        ] {
            problems.require(
                name,
                (least..=MOST_CLEARANCE_M).contains(&value),
                format!("{least} to {MOST_CLEARANCE_M}"),
                value,
            );
        }
        let height_m = self.table_height_m.unwrap_or(0.0);
        problems.require(
            "clearance.table_height_m",
            height_m.abs() <= MOST_TABLE_HEIGHT_M,
            format!("-{MOST_TABLE_HEIGHT_M} to {MOST_TABLE_HEIGHT_M}"),
            height_m,
        );
    }
}

impl CartesianLimits {
    fn compare(&self, hard: &Self, problems: &mut Problems) {
        let row = |name, get: fn(&Self) -> f64| (name, get(self), get(hard));
        within(
            problems,
            &[
                row("cartesian.speed_m_s", |l| l.speed_m_s),
                row("cartesian.acceleration_m_s2", |l| l.acceleration_m_s2),
                row("cartesian.jerk_m_s3", |l| l.jerk_m_s3),
                row("cartesian.rotation_speed_rad_s", |l| l.rotation_speed_rad_s),
                row("cartesian.rotation_acceleration_rad_s2", |l| {
                    l.rotation_acceleration_rad_s2
                }),
                row("cartesian.rotation_jerk_rad_s3", |l| l.rotation_jerk_rad_s3),
            ],
        );
    }
}

/// Notes every value that is not above 0 and at most so much.
pub(crate) fn within(problems: &mut Problems, rows: &[(&str, f64, f64)]) {
    for (name, value, most) in rows {
        problems.require(
            *name,
            *value > 0.0 && value <= most,
            format!("above 0 and at most {most}"),
            value,
        );
    }
}
