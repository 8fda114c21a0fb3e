//! How long a step may be, and what becomes of longer ones.

use super::{Admission, HAIR, at_most};
use crate::event::{Refusal, Report, SafetyKind};
use crate::kinematics::{JOINTS, JointVector};
use crate::space::{
    self, BLEND_JOINT_RAD_S, BLEND_SPEED_M_S, BLEND_TURN_RAD_S, Numbers, Space, position, turn,
};
use crate::violation::{Quantity, Violation};

/// Largest way in one step.
pub(super) struct Longest {
    displacement_m: f64,
    turn_rad: f64,
    joint_rad: JointVector,
}

impl Admission<'_> {
    /// What an arm can do in a step, less what making up for the distance to the anchor takes. An arm
    /// that operates at a share of its speed takes longer for a step and keeps its path.
    pub(super) fn longest(&self, rate_hz: f64) -> Longest {
        let limits = &self.config.limits;
        let at_speed = |most: f64, speed: f64, blend: f64| {
            most.min((speed - blend).max(0.1 * blend) / rate_hz)
        };
        let cartesian = &limits.cartesian;
        Longest {
            displacement_m: at_speed(limits.max_step_m, cartesian.speed_m_s, BLEND_SPEED_M_S),
            turn_rad: at_speed(
                limits.max_step_rad,
                cartesian.rotation_speed_rad_s,
                BLEND_TURN_RAD_S,
            ),
            joint_rad: limits
                .joint
                .velocity_rad_s
                .map(|speed| at_speed(limits.max_joint_step_rad, speed, BLEND_JOINT_RAD_S)),
        }
    }

    pub(super) fn shorten(
        &self,
        space: Space,
        way: &mut Numbers,
        longest: &Longest,
        step: usize,
        report: &mut Report<'_>,
    ) -> Result<(), Refusal> {
        let policy = self.config.on_step;
        let mut too_large = |quantity: Quantity, size: f64, most: f64| {
            let found = Violation::new(quantity, most, size).in_step(step);
            report.add(policy, SafetyKind::StepTooLarge, size / most, found)
        };
        match space {
            Space::Pose => {
                let mut displacement = position(way);
                let (size, most) = (displacement.norm(), longest.displacement_m);
                if size > most * (1.0 + HAIR) {
                    too_large(Quantity::Step, size, most)?;
                    displacement = at_most(displacement, most);
                }
                let mut turn = turn(way);
                let (size, most) = (turn.norm(), longest.turn_rad);
                if size > most * (1.0 + HAIR) {
                    too_large(Quantity::StepTurn, size, most)?;
                    turn = at_most(turn, most);
                }
                *way = space::way(&displacement, &turn);
            }
            Space::Joints => {
                let share = |joint: usize| way[joint].abs() / longest.joint_rad[joint];
                let worst = (0..JOINTS).fold(0, |worst, joint| {
                    if share(joint) > share(worst) {
                        joint
                    } else {
                        worst
                    }
                });
                let excess = share(worst);
                if excess > 1.0 + HAIR {
                    let (size, most) = (way[worst].abs(), longest.joint_rad[worst]);
                    too_large(Quantity::JointStep(worst), size, most)?;
                    *way /= way.amax();
                    let share = |joint: usize| way[joint].abs() / longest.joint_rad[joint];
                    *way /= (0..JOINTS).map(share).fold(0.0, f64::max);
                }
            }
        }
        Ok(())
    }
}
