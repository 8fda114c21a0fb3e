//! An arm whose own controller takes steps of the tool.

use std::time::Duration;

use eyre::WrapErr;
use tiller_motion::limits::{CartesianLimits, Limits};
use tiller_node_kit::Environment;
use tiller_osc::{OscArm, OscConfig};

use super::Opening;
use super::derating::Derating;
use crate::realtime::RealTime;

/// How long a controller may take to be there; dora ends a node that is silent for ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// Reads where the controller is and how it is led.
pub(crate) fn kind(env: &mut Environment) -> Opening {
    let address = env.required("OSC_ADDRESS", "the controller's address, `host:port`");
    let defaults = OscConfig::at(&address);
    let silence_ms = defaults.silence.as_millis() as u64;
    let config = OscConfig {
        gain: env.number("OSC_GAIN", defaults.gain, 0.2..=10.0),
        lead: env.number("OSC_LEAD", defaults.lead, 0.0..=5.0),
        silence: Duration::from_millis(env.number("OSC_SILENCE_MS", silence_ms, 50..=10_000)),
        ..defaults
    };
    let robots = [("fr3", Limits::fr3()), ("panda", Limits::panda())];
    let limits = env.choice("OSC_ROBOT", "panda", &robots);
    let real_time = RealTime::read(env, "without");
    let derating = Derating::read(env);
    let is_moved = env.choice("MOTION", "on", &[("on", true), ("dry", false)]);
    Opening::real(is_moved, move |_| {
        let arm = OscArm::connect_within(&config, PATIENCE).wrap_err("cannot use the arm")?;
        let limits = within(derating.of(limits), arm.tool_speeds());
        let who = arm.controller();
        tracing::info!(
            "a controller at {}: {} Hz, steps up to {} m and {} rad",
            config.address,
            who.rate_hz,
            who.most_m,
            who.most_rad
        );
        Ok(super::metal(arm, is_moved, limits, real_time))
    })
}

/// Lowers the tool's speeds to those, m/s and rad/s, at which the controller is asked for no more than its
/// largest step. Motion uses a share of a limit, and the share is what must not be beyond them.
fn within(limits: Limits, (most_m_s, most_rad_s): (f64, f64)) -> Limits {
    let (share, cartesian) = (limits.operating.velocity, &limits.cartesian);
    Limits {
        cartesian: CartesianLimits {
            speed_m_s: cartesian.speed_m_s.min(most_m_s / share),
            rotation_speed_rad_s: cartesian.rotation_speed_rad_s.min(most_rad_s / share),
            ..*cartesian
        },
        ..limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_is_no_faster_than_the_controllers_steps() {
        for share in [0.3, 0.8] {
            let mut limits = Limits::panda();
            limits.operating.velocity = share;
            let slow = within(limits, (1.0 / 3.0, 3.0));
            let used = |limit: f64| limit * share;
            assert!(used(slow.cartesian.speed_m_s) <= 1.0 / 3.0 + 1e-12);
            assert!(used(slow.cartesian.rotation_speed_rad_s) <= 3.0);
            assert!(slow.problems().is_empty(), "{}", slow.problems());
            assert_eq!(within(limits, (9.0, 99.0)).cartesian, limits.cartesian);
        }
    }

    #[test]
    fn settings_are_read_together() {
        let env = Environment::from_pairs([
            ("ARM", "osc"),
            ("OSC_GAIN", "0"),
            ("OSC_LEAD", "-1"),
            ("OSC_SILENCE_MS", "5"),
            ("OSC_ROBOT", "ur5"),
        ]);
        let error = crate::Settings::read(env).unwrap_err().to_string();
        for name in ["ADDRESS", "GAIN", "LEAD", "SILENCE_MS", "ROBOT"] {
            assert!(error.contains(&format!("OSC_{name}")), "{name}: {error}");
        }
    }
}
