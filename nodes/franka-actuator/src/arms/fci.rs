//! A Franka arm over the Franka Control Interface.

use std::time::Duration;

use eyre::WrapErr;
use tiller_fci::{FciArm, FciConfig, HandConfig};
use tiller_motion::limits::{Limits, OperatingFraction, Robot};
use tiller_motion::{Arm, ArmReading, Setpoint};
use tiller_node_kit::Environment;

use super::{Body, DriverError, Opening};

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
        speed_m_s: env.number("GRIPPER_SPEED_M_S", hand_defaults.speed_m_s, 0.01..=0.2),
        force_n: env.number("GRASP_FORCE_N", hand_defaults.force_n, 1.0..=70.0),
        homes: env.choice("HOME_HAND", "no", &[("yes", true), ("no", false)]),
        ..hand_defaults
    };
    let without = [("require", false), ("without", true)];
    let config = FciConfig {
        hand: has_hand.then_some(hand),
        without_real_time: env.choice("REAL_TIME", "require", &without),
        collision_nm: env.number("COLLISION_NM", defaults.collision_nm, 1.0..=100.0),
        collision_n: env.number("COLLISION_N", defaults.collision_n, 1.0..=100.0),
        ..defaults
    };
    let share = env.number("OPERATING_SHARE", 0.3, 0.05..=0.8);
    Opening::new(move || {
        let arm = FciArm::connect_within(&config, PATIENCE).wrap_err("cannot use the arm")?;
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
        Ok(Body::Driven(Box::new(Fci(arm)), Box::new(limits)))
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

    fn recover(&mut self) -> Result<bool, DriverError> {
        self.0.recover().map_err(DriverError::of)
    }
}
