//! A Franka arm over the Franka Control Interface.

use eyre::WrapErr;
use tiller_fci::{FciArm, FciConfig, HandConfig};
use tiller_motion::limits::{Limits, OperatingFraction, Robot};
use tiller_motion::{Arm, ArmFault, ArmReading, Setpoint};
use tiller_node_kit::Environment;

use super::shadow::Shadow;
use super::{Body, DrivenBody, DriverError, Opening};
use crate::realtime::RealTime;

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
        speed_m_s: env.number("GRIPPER_SPEED_M_S", hand_defaults.speed_m_s, 0.01..=0.2),
        force_n: env.number("GRASP_FORCE_N", hand_defaults.force_n, 1.0..=70.0),
        ..hand_defaults
    };
    let homes = env.choice("HOME_HAND", "no", &[("yes", true), ("no", false)]);
    let real_time = RealTime::read(env, "require");
    let config = FciConfig {
        hand: has_hand.then_some(hand),
        // The thread asks for it itself, as that of every arm does.
        without_real_time: true,
        collision_nm: env.number("COLLISION_NM", defaults.collision_nm, 1.0..=100.0),
        collision_n: env.number("COLLISION_N", defaults.collision_n, 1.0..=100.0),
        ..defaults
    };
    let is_moved = env.choice("MOTION", "on", &[("on", true), ("dry", false)]);
    let share = env.number("OPERATING_SHARE", 0.3, 0.05..=0.8);
    Opening::real(is_moved, move |requires_arming| {
        let homes = homes && is_moved;
        let hand = config.hand.map(|hand| HandConfig {
            homes: homes && !requires_arming,
            homes_when_asked: homes && requires_arming,
            ..hand
        });
        let config = FciConfig { hand, ..config };
        let arm = FciArm::connect(&config).wrap_err("cannot use the arm")?;
        let limits = match arm.robot() {
            Robot::Fr3 => Limits::fr3(),
            Robot::Panda => Limits::panda(),
        };
        tracing::info!("an arm at {}: {:?}", config.address, arm.robot());
        let limits = Limits {
            operating: OperatingFraction {
                velocity: share,
                acceleration: share,
                jerk: share.min(limits.operating.jerk),
            },
            ..limits
        };
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

/// The driver with the errors of this node.
struct Fci(FciArm);

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
