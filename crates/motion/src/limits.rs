//! The limits of the robots and of the work cell, in one table with sources.
//!
//! Sources: joint and Cartesian rows are Franka Robotics' published interface specifications for
//! the Panda (FER) and the FR3 ("Robot and interface specifications" of the FCI documentation). For
//! the FR3 the rectangular position and velocity limits are used: they hold at every posture.

use crate::kinematics::{JOINTS, JointVector};

/// The robots whose limits are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Robot {
    /// Franka Emika Panda (FER).
    Panda,
    /// Franka Research 3.
    Fr3,
}

/// What the joints can do; every row has one entry a joint.
#[derive(Debug, Clone, Copy, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CartesianLimits {
    /// Highest translation speed, m/s.
    pub speed_m_s: f64,
    /// Highest translation acceleration, m/s2.
    pub acceleration_m_s2: f64,
    /// Highest translation jerk, m/s3.
    pub jerk_m_s3: f64,
    /// Highest rotation speed, rad/s.
    pub rotation_speed_rad_s: f64,
}

/// Where the TCP may be sent: a box, and within it what a straight-down gripper can reach.
///
/// The box is a safety limit. The reach keeps plans away from the stretched and the folded arm,
/// where the TCP can hardly be moved; braking next to it may take a few centimetres more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workspace {
    /// Lower corner of the box, m.
    pub min_m: [f64; 3],
    /// Upper corner of the box, m.
    pub max_m: [f64; 3],
    /// Shortest distance from the shoulder to the wrist, m: the elbow's limit with some room.
    pub min_reach_m: f64,
    /// Longest distance from the shoulder to the wrist, m; 0.719 would be the stretched arm.
    pub max_reach_m: f64,
}

/// Height of the shoulder above the base, m.
const SHOULDER_M: f64 = 0.333;
/// Height of the wrist above the TCP when the gripper points down, m.
const WRIST_ABOVE_TCP_M: f64 = crate::kinematics::FLANGE_M + crate::kinematics::HAND_TCP_M;
/// Horizontal distance from the wrist to the TCP, m.
const WRIST_TO_TCP_M: f64 = 0.088;

impl Workspace {
    /// The nearest allowed position: into the box first, then along the line from the shoulder into
    /// reach.
    pub fn clamp(&self, position_m: [f64; 3]) -> [f64; 3] {
        let [x, y, z] =
            std::array::from_fn(|axis| position_m[axis].clamp(self.min_m[axis], self.max_m[axis]));
        let radius = x.hypot(y);
        let out = radius - WRIST_TO_TCP_M;
        let up = z + WRIST_ABOVE_TCP_M - SHOULDER_M;
        let distance = out.hypot(up);
        let within = distance.clamp(self.min_reach_m, self.max_reach_m);
        if distance == within || out <= 0.0 {
            return [x, y, z];
        }
        let scale = within / distance;
        let turn = (WRIST_TO_TCP_M + out * scale) / radius;
        [
            x * turn,
            y * turn,
            up * scale + SHOULDER_M - WRIST_ABOVE_TCP_M,
        ]
    }

    /// How far `position_m` is from where [`Workspace::clamp`] would put it, m.
    pub fn excess_m(&self, position_m: [f64; 3]) -> f64 {
        let inside = self.clamp(position_m);
        (0..3)
            .map(|axis| (position_m[axis] - inside[axis]).powi(2))
            .sum::<f64>()
            .sqrt()
    }
}

/// The share of the robot's limits that motion may use; 1 would leave no room for the controller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingFraction {
    /// Of every speed.
    pub velocity: f64,
    /// Of every acceleration.
    pub acceleration: f64,
    /// Of every jerk.
    pub jerk: f64,
}

/// Everything a command is checked against.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// Longest displacement in one action step, m.
    pub max_step_m: f64,
    /// Largest distance between a chunk's anchor and the actuator's, m: the step between chunks.
    pub max_anchor_gap_m: f64,
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
            },
            operating: OperatingFraction {
                velocity: 0.8,
                acceleration: 0.9,
                jerk: 0.5,
            },
            position_margin_rad: 0.02,
            workspace: Workspace {
                min_m: [0.2, -0.55, -0.35],
                max_m: [0.9, 0.55, 0.75],
                min_reach_m: 0.33,
                max_reach_m: 0.68,
            },
            max_step_m: 0.055,
            max_anchor_gap_m: 0.1,
        }
    }

    /// Everything that makes these limits unusable or looser than the robot's; empty when sound.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, text: &str| {
            if !holds {
                problems.push(text.to_string());
            }
        };
        let hard = match self.robot {
            Robot::Panda => Self::panda(),
            Robot::Fr3 => Self::fr3(),
        };
        for joint in 0..JOINTS {
            let (mine, theirs) = (&self.joint, &hard.joint);
            let ordered = mine.position_min_rad[joint] < mine.position_max_rad[joint];
            require(ordered, "joint position minimum must be below the maximum");
            require(
                mine.position_min_rad[joint] >= theirs.position_min_rad[joint]
                    && mine.position_max_rad[joint] <= theirs.position_max_rad[joint],
                "joint positions may be narrowed, never widened beyond the robot's",
            );
            for (value, most, name) in [
                (
                    mine.velocity_rad_s[joint],
                    theirs.velocity_rad_s[joint],
                    "velocity",
                ),
                (
                    mine.acceleration_rad_s2[joint],
                    theirs.acceleration_rad_s2[joint],
                    "acceleration",
                ),
                (mine.jerk_rad_s3[joint], theirs.jerk_rad_s3[joint], "jerk"),
            ] {
                require(
                    value > 0.0 && value <= most,
                    &format!(
                        "joint {} {name}: expected above 0 and at most {most}, found {value}",
                        joint + 1
                    ),
                );
            }
        }
        for (value, most, name) in [
            (
                self.cartesian.speed_m_s,
                hard.cartesian.speed_m_s,
                "cartesian speed",
            ),
            (
                self.cartesian.acceleration_m_s2,
                hard.cartesian.acceleration_m_s2,
                "cartesian acceleration",
            ),
            (
                self.cartesian.jerk_m_s3,
                hard.cartesian.jerk_m_s3,
                "cartesian jerk",
            ),
            (
                self.cartesian.rotation_speed_rad_s,
                hard.cartesian.rotation_speed_rad_s,
                "rotation speed",
            ),
            (
                self.operating.velocity,
                1.0,
                "operating fraction of velocity",
            ),
            (
                self.operating.acceleration,
                1.0,
                "operating fraction of acceleration",
            ),
            (self.operating.jerk, 1.0, "operating fraction of jerk"),
            (self.workspace.min_reach_m, 0.5, "shortest workspace reach"),
            (self.workspace.max_reach_m, 0.71, "longest workspace reach"),
            (self.max_step_m, 0.2, "largest step"),
            (self.max_anchor_gap_m, 0.3, "largest anchor gap"),
            (self.position_margin_rad, 0.2, "joint position margin"),
        ] {
            require(
                value > 0.0 && value <= most,
                &format!("{name}: expected above 0 and at most {most}, found {value}"),
            );
        }
        for axis in 0..3 {
            let (low, high) = (self.workspace.min_m[axis], self.workspace.max_m[axis]);
            require(
                low.is_finite() && high.is_finite() && low < high,
                "workspace: expected a finite lower corner below the upper corner",
            );
        }
        problems
    }
}
