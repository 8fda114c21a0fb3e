//! The robot and its hand, over the Franka Control Interface.

use std::time::Duration;

use tiller_fci::{FciError, look_at_hand, look_at_robot};

use super::{Finding, Settings};

/// How long states are listened to.
const TIME: Duration = Duration::from_secs(2);

/// A state that comes this late, ms, was nearly missed; the share of states that may.
const LATE: (f64, f64) = (1.5, 0.99);

/// Faster or slower than this, as a share, no clock should run.
const DRIFT: f64 = 1e-3;

pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let Some(address) = &settings.robot else {
        let todo = "set TILLER_FRANKA_ADDRESS for a real arm";
        return vec![Finding::warning("robot", "not looked at", todo)];
    };
    let mut findings = robot(address);
    if let Some(address) = &settings.hand {
        findings.push(hand(address));
    }
    findings
}

fn robot(address: &str) -> Vec<Finding> {
    let look = match look_at_robot(address, TIME) {
        Ok(look) => look,
        Err(error) => return vec![unreached("robot", &error)],
    };
    let model = look.model.as_deref().map(|name| format!(" (`{name}`)"));
    let found = format!(
        "{:?}{} at {address}, interface version {}, connected in {:.1} ms, mode {}",
        look.robot,
        model.unwrap_or_default(),
        look.server_version,
        look.connect_ms,
        look.mode
    );
    let mode = if look.is_ready {
        Finding::ok("robot", found)
    } else {
        let todo = "release the user stop, unlock the joints and switch FCI on in Desk; errors are cleared by \
                    `tiller resume` or there";
        Finding::warning("robot", found, todo)
    };
    vec![mode, states(&look), clocks(look.clock_drift)]
}

fn states(look: &tiller_fci::RobotLook) -> Finding {
    let (half, most) = (look.interval_ms(0.5), look.interval_ms(LATE.1));
    let found = format!(
        "{} in {:.0} s, {} lost; {half:.2} ms apart, 99 % within {most:.2} ms, at most {:.2} ms",
        look.intervals_ms.len(),
        TIME.as_secs_f64(),
        look.lost,
        look.interval_ms(1.0)
    );
    let todo = "a cable of its own from the control's LAN port, no switch; a real-time kernel; nothing else on the \
                machine";
    if look.lost > 0 {
        return Finding::problem("states", found, todo);
    }
    if most > LATE.0 {
        return Finding::warning("states", found, todo);
    }
    Finding::ok("states", found)
}

fn clocks(drift: f64) -> Finding {
    let found = format!(
        "the robot's runs {:+.0} millionths off this machine's",
        drift * 1e6
    );
    if drift.abs() > DRIFT {
        let todo = "states were late or lost, or one of the clocks is wrong: look again on an idle machine";
        return Finding::warning("clocks", found, todo);
    }
    Finding::ok("clocks", found)
}

fn hand(address: &str) -> Finding {
    match look_at_hand(address) {
        Err(error) => unreached("hand", &error),
        Ok(look) if look.max_width_m <= 0.0 => {
            let todo = "home it: TILLER_HOME_HAND=yes, or in Desk";
            Finding::warning("hand", format!("at {address}, never homed"), todo)
        }
        Ok(look) => Finding::ok(
            "hand",
            format!(
                "at {address}, connected in {:.1} ms, {:.0} of {:.0} mm open, {} degrees Celsius",
                look.connect_ms,
                look.width_m * 1e3,
                look.max_width_m * 1e3,
                look.temperature_c
            ),
        ),
    }
}

fn unreached(name: &str, error: &FciError) -> Finding {
    let todo = match error {
        FciError::Unreachable { .. } => {
            "is the address right, the cable in the control's LAN port, FCI switched on in Desk, and no other program \
             connected?"
        }
        FciError::WrongVersion { .. } => {
            "bring the robot's system to one that speaks version 10 or 5"
        }
        _ => "see the robot's own interface, Desk",
    };
    Finding::problem(name, error.to_string(), todo)
}
