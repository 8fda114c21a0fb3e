//! A Franka arm over the Franka Control Interface.

use std::time::Duration;

use eyre::WrapErr;
use tiller_fci::{FciArm, FciConfig, HandConfig};
use tiller_motion::limits::{HAND, Limits, Robot};
use tiller_node_kit::Environment;

use super::Opening;
use super::derating::Derating;
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
        Ok(super::metal(arm, is_moved, limits, real_time))
    })
}
