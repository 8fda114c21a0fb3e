//! A limit that was not kept: what was measured, the limit and the value.

use std::fmt;

use crate::kinematics::JOINTS;

/// What was measured; its name ends with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Steps a second of a chunk, Hz.
    Rate,
    /// Steps of a chunk that are to be executed.
    Steps,
    /// Length of an anchor's quaternion.
    QuaternionNorm,
    /// A chunk's number.
    Sequence,
    /// The number of the chunk that one carries on.
    ContinuedSequence,
    /// Where the frozen steps end in the chunk under way.
    FrozenEnd,
    /// Steps that were over when a chunk came that was to carry on.
    StepsOver,
    /// Steps that a chunk joined later than planned.
    LateSteps,
    /// Age of what a chunk was made from, ms.
    Age,
    /// How far a stamp is in the future, ms.
    Lead,
    /// Distance of a chunk's anchor from the arm's, m.
    AnchorGap,
    /// Angle between the two, rad.
    AnchorTurn,
    /// Displacement in one step, m.
    Step,
    /// Turn in one step, rad.
    StepTurn,
    /// Way of a joint, from 0, in one step, rad.
    JointStep(usize),
    /// Distance from the workspace, m.
    Outside,
    /// Position of a joint, from 0, rad.
    JointPosition(usize),
    /// Distance between two links, m; the base is link 0, the hand 8.
    BetweenLinks(usize, usize),
    /// Height of a link over the table, m.
    AboveTable(usize),
    /// Angle of the hand from straight down, rad.
    Tilt,
    /// Opening of the gripper: 0 closed, 1 open.
    Opening,
    /// Distance of the robot from its setpoint, m.
    TrackingError,
    /// Angle between the two, rad.
    TrackingTurn,
    /// Distance of the setpoints from the plan, m.
    PlanError,
    /// Angle between the two, or of the joint that is furthest away, rad.
    PlanTurn,
    /// How far a joint, from 0, seemed to have moved between two readings, rad.
    JointJump(usize),
    /// For how long there was no good reading, ms.
    Missed,
    /// For how long the control loop paused, ms.
    Pause,
    /// Distance that a stopped robot was moved, m.
    Displaced,
    /// Angle by which its joint, from 0, was moved, rad.
    JointDisplaced(usize),
    /// Events that nobody has fetched.
    Events,
}

macro_rules! of_joint {
    ($joint:expr, $before:literal, $after:literal) => {{
        const NAMES: [&str; JOINTS] = [
            concat!($before, 1, $after),
            concat!($before, 2, $after),
            concat!($before, 3, $after),
            concat!($before, 4, $after),
            concat!($before, 5, $after),
            concat!($before, 6, $after),
            concat!($before, 7, $after),
        ];
        NAMES[$joint.min(JOINTS - 1)]
    }};
}

impl Quantity {
    /// Stable name in snake case with the unit, for messages and logs.
    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// Stable name, what it is in words, and its unit.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Rate => ("rate_hz", "a rate of", " Hz"),
            Self::Steps => ("steps", "a number of steps to execute of", ""),
            Self::QuaternionNorm => ("quaternion_norm", "a quaternion of norm", ""),
            Self::Sequence => ("sequence", "a sequence number", ""),
            Self::ContinuedSequence => ("continued_sequence", "a chunk that carries on chunk", ""),
            Self::FrozenEnd => ("frozen_end_steps", "frozen steps up to step", ""),
            Self::StepsOver => ("steps_over", "steps over since it was planned", ""),
            Self::LateSteps => ("late_steps", "a join later than planned by steps of", ""),
            Self::Age => ("age_ms", "an observation with an age of", " ms"),
            Self::Lead => ("lead_ms", "a stamp ahead of the clock by", " ms"),
            Self::AnchorGap => ("anchor_gap_m", "an anchor away by", " m"),
            Self::AnchorTurn => ("anchor_turn_rad", "an anchor turned away by", " rad"),
            Self::Step => ("step_m", "a step of", " m"),
            Self::StepTurn => ("step_turn_rad", "a turn in a step of", " rad"),
            Self::JointStep(joint) => (
                of_joint!(joint, "joint_", "_step_rad"),
                of_joint!(joint, "a way of joint ", " in a step of"),
                " rad",
            ),
            Self::Outside => (
                "outside_workspace_m",
                "a place outside the workspace by",
                " m",
            ),
            Self::JointPosition(joint) => (
                of_joint!(joint, "joint_", "_position_rad"),
                of_joint!(joint, "an angle of joint ", " of"),
                " rad",
            ),
            Self::BetweenLinks(..) => ("between_links_m", "a distance between links of", " m"),
            Self::AboveTable(_) => ("above_table_m", "a height over the table of", " m"),
            Self::Tilt => ("tilt_rad", "a tilt from straight down of", " rad"),
            Self::Opening => ("opening", "an opening of", ""),
            Self::TrackingError => ("tracking_error_m", "the robot behind its setpoint by", " m"),
            Self::TrackingTurn => (
                "tracking_turn_rad",
                "the robot turned from its setpoint by",
                " rad",
            ),
            Self::PlanError => ("plan_error_m", "setpoints behind the plan by", " m"),
            Self::PlanTurn => ("plan_turn_rad", "setpoints turned from the plan by", " rad"),
            Self::JointJump(joint) => (
                of_joint!(joint, "joint_", "_jump_rad"),
                of_joint!(joint, "joint ", " away from the last good reading by"),
                " rad",
            ),
            Self::Missed => ("missed_ms", "a time without a good reading of", " ms"),
            Self::Pause => ("pause_ms", "a pause of the control loop of", " ms"),
            Self::Displaced => ("displaced_m", "the robot moved since it stopped by", " m"),
            Self::JointDisplaced(joint) => (
                of_joint!(joint, "joint_", "_displaced_rad"),
                of_joint!(joint, "joint ", " moved since it stopped by"),
                " rad",
            ),
            Self::Events => ("events", "events to be fetched before they are", ""),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A limit that was not kept. Its text, by `Display`, is made from its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Violation {
    /// What was measured.
    pub quantity: Quantity,
    /// What it may be, at most or at least.
    pub limit: f64,
    /// What it was.
    pub value: f64,
    /// In which step of a chunk, from 0; `None` where it is none of a step's.
    pub step: Option<u32>,
}

impl Violation {
    /// Of no step. Numbers that are too large for any are the largest ones.
    #[must_use]
    pub fn new(quantity: Quantity, limit: f64, value: f64) -> Self {
        Self {
            quantity,
            limit,
            value: value.clamp(-f64::MAX, f64::MAX),
            step: None,
        }
    }

    /// The same in a step.
    pub(crate) fn in_step(self, step: usize) -> Self {
        Self {
            step: Some(step as u32),
            ..self
        }
    }

    fn relation(&self) -> &'static str {
        match self.quantity {
            Quantity::Sequence => "above ",
            Quantity::StepsOver => "below ",
            Quantity::ContinuedSequence => "",
            Quantity::BetweenLinks(..) | Quantity::AboveTable(_) => "at least ",
            _ if self.value > self.limit => "at most ",
            _ => "at least ",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, words, unit) = self.quantity.names();
        let relation = self.relation();
        let (limit, value) = (Short(self.limit), Short(self.value));
        write!(
            f,
            "expected {words} {relation}{limit}{unit}, found {value}{unit}"
        )?;
        match self.quantity {
            Quantity::BetweenLinks(a, b) => write!(f, " of links {a} and {b}")?,
            Quantity::AboveTable(link) => write!(f, " of link {link}")?,
            _ => {}
        }
        match self.step {
            Some(step) => write!(f, " in step {step}"),
            None => Ok(()),
        }
    }
}

/// A number with four decimals at most; a very small or large one as it is.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 1e4).round() / 1e4;
        if !(1e-3..1e15).contains(&self.0.abs()) && self.0 != 0.0 {
            return write!(f, "{:.3e}", self.0);
        }
        write!(f, "{rounded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_the_numbers() {
        let step = Violation::new(Quantity::JointStep(6), 0.18, 0.500_04).in_step(3);
        assert_eq!(
            step.to_string(),
            "expected a way of joint 7 in a step of at most 0.18 rad, found 0.5 rad in step 3"
        );
        assert_eq!(step.quantity.as_str(), "joint_7_step_rad");
        let low = Violation::new(Quantity::JointPosition(3), -3.0518, -3.2);
        assert_eq!(
            low.to_string(),
            "expected an angle of joint 4 of at least -3.0518 rad, found -3.2 rad"
        );
        let huge = Violation::new(Quantity::Step, 0.055, f64::INFINITY);
        assert!(huge.value.is_finite());
        assert!(huge.to_string().ends_with("found 1.798e308 m"), "{huge}");
    }
}
