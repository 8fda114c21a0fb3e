//! How much of what an arm of metal can do is used.

use tiller_motion::limits::{CartesianLimits, Limits, OperatingFraction};
use tiller_node_kit::Environment;

/// How much of what a robot can do is used: never more than all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Derating {
    operating: OperatingFraction,
    tool_speed_m_s: f64,
    tool_turn_rad_s: f64,
}

impl Derating {
    pub(super) fn read(env: &mut Environment) -> Self {
        let allowed = || 0.05..=0.8;
        let share = env.number("OPERATING_SHARE", 0.3, allowed());
        let tool = Limits::fr3().cartesian;
        Self {
            operating: OperatingFraction {
                velocity: env.number("VELOCITY_SHARE", share, allowed()),
                acceleration: env.number("ACCELERATION_SHARE", share, allowed()),
                jerk: env.number("JERK_SHARE", share, allowed()),
            },
            tool_speed_m_s: env.number("TOOL_SPEED_M_S", tool.speed_m_s, 0.05..=tool.speed_m_s),
            tool_turn_rad_s: env.number(
                "TOOL_TURN_RAD_S",
                tool.rotation_speed_rad_s,
                0.05..=tool.rotation_speed_rad_s,
            ),
        }
    }

    pub(super) fn of(&self, limits: Limits) -> Limits {
        let cartesian = &limits.cartesian;
        Limits {
            operating: OperatingFraction {
                jerk: self.operating.jerk.min(limits.operating.jerk),
                ..self.operating
            },
            cartesian: CartesianLimits {
                speed_m_s: self.tool_speed_m_s.min(cartesian.speed_m_s),
                rotation_speed_rad_s: self.tool_turn_rad_s.min(cartesian.rotation_speed_rad_s),
                ..*cartesian
            },
            ..limits
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derating(pairs: &[(&str, &str)]) -> Derating {
        let mut env = Environment::from_pairs(pairs.iter().copied());
        let derating = Derating::read(&mut env);
        env.finish(derating).unwrap()
    }

    #[test]
    fn every_group_is_lowered_by_itself_and_none_is_raised() {
        for hard in [Limits::panda(), Limits::fr3()] {
            let limits = derating(&[]).of(hard);
            assert_eq!(limits.operating.velocity, 0.3);
            assert_eq!(limits.operating.jerk, 0.3);
            assert_eq!(limits.cartesian, hard.cartesian);
            let limits = derating(&[
                ("OPERATING_SHARE", "0.8"),
                ("ACCELERATION_SHARE", "0.1"),
                ("TOOL_SPEED_M_S", "0.25"),
                ("TOOL_TURN_RAD_S", "0.5"),
            ])
            .of(hard);
            assert_eq!(limits.operating.velocity, 0.8);
            assert_eq!(limits.operating.acceleration, 0.1);
            assert_eq!(limits.operating.jerk, hard.operating.jerk);
            assert_eq!(limits.cartesian.speed_m_s, 0.25);
            assert_eq!(limits.cartesian.rotation_speed_rad_s, 0.5);
            assert!(limits.problems().is_empty());
        }
    }

    #[test]
    fn a_speed_beyond_the_robots_is_refused() {
        let mut env = Environment::from_pairs([("TOOL_SPEED_M_S", "5"), ("JERK_SHARE", "1")]);
        let derating = Derating::read(&mut env);
        let error = env.finish(derating).unwrap_err().to_string();
        assert!(
            error.contains("TOOL_SPEED_M_S") && error.contains("JERK_SHARE"),
            "{error}"
        );
    }
}
