//! A look at a robot: who it is and how its states arrive. Nothing is set or commanded.

use std::thread;
use std::time::{Duration, Instant};

use franka::robot::robot_impl::RobotImpl;
use franka::{FciVersion, Gripper, RealtimeConfig, RobotMode, VersionPolicy};
use tiller_motion::limits::Robot;

use crate::error::FciError;

/// What a look at a robot showed.
#[derive(Debug, Clone, PartialEq)]
pub struct RobotLook {
    /// Which robot answers.
    pub robot: Robot,
    /// Version of its interface.
    pub server_version: u16,
    /// What it calls itself, where it says so.
    pub model: Option<String>,
    /// What it is doing, by libfranka's name.
    pub mode: String,
    /// Whether it would move.
    pub is_ready: bool,
    /// How long it took to connect, with a handful of words there and back, ms.
    pub connect_ms: f64,
    /// Times between two states by this machine's clock, in order of size, ms.
    pub intervals_ms: Vec<f64>,
    /// States that did not come, by the robot's clock.
    pub lost: u64,
    /// How much faster the robot's clock ran than this machine's, as a share: 1e-6 is a second in
    /// eleven days.
    pub clock_drift: f64,
}

impl RobotLook {
    /// The interval than which this share of all is shorter, ms.
    #[must_use]
    pub fn interval_ms(&self, share: f64) -> f64 {
        let last = self.intervals_ms.len().saturating_sub(1);
        let at = (share * last as f64).round() as usize;
        self.intervals_ms.get(at).copied().unwrap_or(f64::NAN)
    }
}

/// What a look at a hand showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandLook {
    /// How long it took to connect, ms.
    pub connect_ms: f64,
    /// Opening between the fingers, m.
    pub width_m: f64,
    /// The widest opening that it knows of, m; 0 before it was homed.
    pub max_width_m: f64,
    /// Its temperature, degrees Celsius.
    pub temperature_c: u16,
}

/// Looks at the robot at `address` (`host` or `host:port`) for so long.
///
/// # Errors
/// When it cannot be reached, speaks another version or falls silent.
pub fn look_at_robot(address: &str, time: Duration) -> Result<RobotLook, FciError> {
    let connecting = |error| FciError::on_connecting(error, address);
    let begin = Instant::now();
    let robot = connect(address)?.map_err(connecting)?;
    let connect_ms = milliseconds(begin.elapsed());
    let of = |error| FciError::of(error, 0.0);
    let first = robot.read_once().map_err(of)?;
    let (begin, mut last) = (Instant::now(), Instant::now());
    let mut state = first;
    let mut intervals_ms = Vec::new();
    let mut lost = 0;
    while begin.elapsed() < time {
        let next = robot.read_once().map_err(of)?;
        let now = Instant::now();
        intervals_ms.push(milliseconds(now - last));
        last = now;
        let passed = next.time.as_millis().saturating_sub(state.time.as_millis());
        lost += passed.saturating_sub(1);
        state = next;
    }
    intervals_ms.sort_by(f64::total_cmp);
    let robots_ms = state
        .time
        .as_millis()
        .saturating_sub(first.time.as_millis()) as f64;
    Ok(RobotLook {
        robot: match robot.version() {
            FciVersion::V5 => Robot::Panda,
            FciVersion::V10 => Robot::Fr3,
        },
        server_version: robot.server_version(),
        model: model_name(robot.robot_model_urdf()),
        mode: format!("{:?}", state.robot_mode),
        is_ready: state.robot_mode == RobotMode::Idle,
        connect_ms,
        intervals_ms,
        lost,
        clock_drift: robots_ms / milliseconds(last - begin).max(1.0) - 1.0,
    })
}

/// Looks at the hand at `address`.
///
/// # Errors
/// When it cannot be reached or speaks another version.
pub fn look_at_hand(address: &str) -> Result<HandLook, FciError> {
    let connecting = |error| FciError::on_connecting(error, address);
    let begin = Instant::now();
    let gripper = Gripper::new(address).map_err(connecting)?;
    let connect_ms = milliseconds(begin.elapsed());
    let state = gripper.read_once().map_err(connecting)?;
    Ok(HandLook {
        connect_ms,
        width_m: state.width,
        max_width_m: state.max_width,
        temperature_c: state.temperature,
    })
}

/// The client raises the priority of the thread that connects, which is not to be the caller's.
pub(crate) fn connect(address: &str) -> Result<franka::FrankaResult<RobotImpl>, FciError> {
    let address = address.to_owned();
    thread::spawn(move || {
        let policy = VersionPolicy::Auto;
        RobotImpl::new_with_policy(&address, RealtimeConfig::Ignore, 0, policy)
    })
    .join()
    .map_err(|_| FciError::Protocol("the client panicked while connecting".to_owned()))
}

/// The name in a description: `<robot name="fr3" ..>`.
fn model_name(urdf: &str) -> Option<String> {
    let (_, rest) = urdf.split_once("<robot")?;
    let (_, rest) = rest.split_once("name=\"")?;
    let (name, _) = rest.split_once('"')?;
    Some(name.to_owned())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_a_name() {
        assert_eq!(
            model_name("<?xml?>\n<robot version=\"1\" name=\"fr3\">"),
            Some("fr3".to_owned())
        );
        assert_eq!(model_name("<robot>"), None);
    }
}
