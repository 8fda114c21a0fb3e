//! A Franka arm over the Franka Control Interface.

use std::time::Duration;

use eyre::WrapErr;
use tiller_fci::{FciArm, FciConfig, HandConfig};
use tiller_motion::limits::{CartesianLimits, HAND, Limits, OperatingFraction, Robot};
use tiller_motion::{Arm, ArmFault, ArmReading, Setpoint};
use tiller_node_kit::Environment;

use super::shadow::Shadow;
use super::{Body, DrivenBody, DriverError, Opening};
use crate::realtime::RealTime;

/// How long a robot may take to be there; dora ends a node that is silent for ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// Reads where the robot is and how it reacts.
pub(crate) fn kind(env: &mut Environment) -> Opening {
    let address = env.required(
        "FRANKA_ADDRESS",
        "the robot's address, `host` or `host:port`",
    );
    let hand_address = env.text("FRANKA_HAND_ADDRESS", &address);
    let defaults = FciConfig::at(&address);
    let hand_defaults = HandConfig::at(&hand_address);
    let has_hand = env.choice("FRANKA_HAND", "yes", &[("yes", true), ("no", false)]);
    let hand = HandConfig {
        speed_m_s: env.number(
            "GRIPPER_SPEED_M_S",
            hand_defaults.speed_m_s,
            0.01..=HAND.speed_m_s,
        ),
        force_n: env.number("GRASP_FORCE_N", hand_defaults.force_n, 1.0..=HAND.force_n),
        ..hand_defaults
    };
    let homes = env.choice("HOME_HAND", "no", &[("yes", true), ("no", false)]);
    let real_time = RealTime::read(env, "require");
    let config = FciConfig {
        hand: has_hand.then_some(hand),
        collision_nm: env.number("COLLISION_NM", defaults.collision_nm, 1.0..=100.0),
        collision_n: env.number("COLLISION_N", defaults.collision_n, 1.0..=100.0),
        ..defaults
    };
    let derating = Derating::read(env);
    let is_moved = env.choice("MOTION", "on", &[("on", true), ("dry", false)]);
    Opening::real(is_moved, move |requires_arming| {
        let homes = homes && is_moved;
        let hand = config.hand.map(|hand| HandConfig {
            homes: homes && !requires_arming,
            homes_when_asked: homes && requires_arming,
            ..hand
        });
        let config = FciConfig { hand, ..config };
        let arm = FciArm::connect_within(&config, PATIENCE).wrap_err("cannot use the arm")?;
        let limits = match arm.robot() {
            Robot::Fr3 => Limits::fr3(),
            Robot::Panda => Limits::panda(),
        };
        tracing::info!("an arm at {}: {:?}", config.address, arm.robot());
        let limits = derating.of(limits);
        Ok(Body::Driven(Box::new(DrivenBody {
            driver: if is_moved {
                Box::new(Fci(arm))
            } else {
                tracing::warn!("MOTION=dry: the arm is only read, and a shadow of it moves");
                Box::new(Shadow::new(Fci(arm)))
            },
            limits,
            real_time,
        })))
    })
}

/// How much of what a robot can do is used: never more than all of it.
#[derive(Debug, Clone, Copy)]
struct Derating {
    operating: OperatingFraction,
    tool_speed_m_s: f64,
    tool_turn_rad_s: f64,
}

impl Derating {
    fn read(env: &mut Environment) -> Self {
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

    fn of(&self, limits: Limits) -> Limits {
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

/// The driver with the errors of this node.
pub struct Fci(pub FciArm);

impl Arm for Fci {
    type Error = DriverError;

    fn read(&mut self) -> Result<ArmReading, DriverError> {
        self.0.read().map_err(DriverError::of)
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), DriverError> {
        self.0.command(setpoint).map_err(DriverError::of)
    }

    fn elapsed_ms(&self) -> Option<u32> {
        self.0.elapsed_ms()
    }

    fn fault(&self) -> Option<ArmFault> {
        self.0.fault()
    }

    fn home(&mut self) -> Result<bool, DriverError> {
        self.0.home().map_err(DriverError::of)
    }

    fn is_homing(&self) -> bool {
        self.0.is_homing()
    }

    fn recover(&mut self) -> Result<bool, DriverError> {
        self.0.recover().map_err(DriverError::of)
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
