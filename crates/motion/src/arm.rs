//! The seam to robots: what an arm is.

use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::kinematics::{JOINTS, JointVector};
use crate::violation::Violation;

/// What the robot measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmReading {
    /// Joint positions, rad.
    pub q_rad: [f64; 7],
    /// Joint speeds, rad/s.
    pub dq_rad_s: [f64; 7],
    /// Opening between the fingers, m.
    pub gripper_width_m: f64,
}

impl ArmReading {
    /// A robot at rest at `q_rad`.
    pub fn at_rest(q_rad: JointVector, gripper_width_m: f64) -> Self {
        Self {
            q_rad,
            dq_rad_s: [0.0; JOINTS],
            gripper_width_m,
        }
    }
}

/// What the robot is told for the next millisecond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setpoint {
    /// Joint positions, rad.
    pub q_rad: [f64; 7],
    /// Opening between the fingers to move to, m.
    pub gripper_width_m: f64,
}

/// Why an arm that would move does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArmFault {
    /// It stopped by itself: a collision, a limit, commands that did not come.
    Reflex,
    /// Somebody pressed its stop.
    UserStop,
    /// It cannot be reached any more.
    Connection,
    /// Anything else that keeps it from moving.
    NotReady,
}

impl ArmFault {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Reflex,
        Self::UserStop,
        Self::Connection,
        Self::NotReady,
    ];

    /// Stable name in snake case, for messages and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reflex => "reflex",
            Self::UserStop => "user_stop",
            Self::Connection => "connection",
            Self::NotReady => "not_ready",
        }
    }
}

/// Farthest that a driver's first setpoint may be from where its arm is, rad, each joint.
pub const START_RAD: f64 = 0.05;

/// Time between two tries to reach an arm.
const RETRY: Duration = Duration::from_millis(200);

/// A motion's first setpoint is elsewhere than the arm.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error(
    "expected a first setpoint within {START_RAD} rad of where the arm is, found joint {joint} \
     {found_rad:.4} rad away"
)]
pub struct StartGap {
    /// Which joint, 1 to 7.
    pub joint: usize,
    /// How far away.
    pub found_rad: f64,
}

impl StartGap {
    /// Checks that a motion which begins at `setpoint_rad` begins where the arm is, `here_rad`.
    ///
    /// # Errors
    /// When a joint is farther than [`START_RAD`] away, or not a number.
    pub fn check(setpoint_rad: &JointVector, here_rad: &JointVector) -> Result<(), Self> {
        for (index, (wanted, here)) in setpoint_rad.iter().zip(here_rad).enumerate() {
            let found_rad = (wanted - here).abs();
            if found_rad.is_nan() || found_rad > START_RAD {
                let joint = index + 1;
                return Err(Self { joint, found_rad });
            }
        }
        Ok(())
    }
}

/// Connects to an arm that may be starting: while `may_come` says of an error that it can pass, it is
/// tried again for `patience`.
///
/// # Errors
/// Those of `connect`.
pub fn connect_within<A, E>(
    patience: Duration,
    may_come: impl Fn(&E) -> bool,
    mut connect: impl FnMut() -> Result<A, E>,
) -> Result<A, E> {
    let begin = Instant::now();
    loop {
        match connect() {
            Err(error) if may_come(&error) && begin.elapsed() < patience => thread::sleep(RETRY),
            connected => return connected,
        }
    }
}

/// A robot arm with a gripper, at the level of its drivers.
///
/// Implementations pass commands on as they are. The rest of the program gets them wrapped in
/// `tiller-closed-loop`'s `LimitedArm`, whose commands have passed an [`Actuator`](crate::Actuator).
pub trait Arm {
    /// What can go wrong when talking to the robot.
    type Error: std::error::Error + 'static;

    /// The newest measurement.
    ///
    /// # Errors
    /// When the robot gave none.
    fn read(&mut self) -> Result<ArmReading, Self::Error>;

    /// Sends the setpoint for the next millisecond.
    ///
    /// # Errors
    /// When the robot did not take it.
    fn command(&mut self, setpoint: &Setpoint) -> Result<(), Self::Error>;

    /// Milliseconds that the last reading waited for by the robot's own clock, at least 1: so many
    /// setpoints are due before the next reading, for those that are late count too. `None`, the
    /// default, where the caller keeps the time: a reading and a setpoint every millisecond.
    fn elapsed_ms(&self) -> Option<u32> {
        None
    }

    /// Milliseconds between two readings in the ordinary course of things. Default: 1.
    fn period_ms(&self) -> u32 {
        1
    }

    /// What of the setpoints since it was asked last the driver made less of, because the arm's own
    /// controller takes no more. `None`, the default, where it was nothing.
    fn clamped(&mut self) -> Option<Violation> {
        None
    }

    /// Why the arm would not move now. `None`, the default, where it would, or where nobody knows.
    fn fault(&self) -> Option<ArmFault> {
        None
    }

    /// Begins what the hand must do before it can be used, such as to find out where its fingers are;
    /// false, as by default, where there is nothing to do.
    ///
    /// # Errors
    /// When it cannot begin.
    fn home(&mut self) -> Result<bool, Self::Error> {
        Ok(false)
    }

    /// Whether what [`Arm::home`] began is under way.
    fn is_homing(&self) -> bool {
        false
    }

    /// Makes a robot that has stopped by itself ready again, because somebody asked for it; false, as
    /// by default, where it had not stopped. May take seconds. Whoever commands it must then begin
    /// from where it is.
    ///
    /// # Errors
    /// When the robot cannot be made ready, or only by people.
    fn recover(&mut self) -> Result<bool, Self::Error> {
        Ok(false)
    }
}

impl<A: Arm + ?Sized> Arm for Box<A> {
    type Error = A::Error;

    fn read(&mut self) -> Result<ArmReading, Self::Error> {
        (**self).read()
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), Self::Error> {
        (**self).command(setpoint)
    }

    fn elapsed_ms(&self) -> Option<u32> {
        (**self).elapsed_ms()
    }

    fn period_ms(&self) -> u32 {
        (**self).period_ms()
    }

    fn clamped(&mut self) -> Option<Violation> {
        (**self).clamped()
    }

    fn fault(&self) -> Option<ArmFault> {
        (**self).fault()
    }

    fn home(&mut self) -> Result<bool, Self::Error> {
        (**self).home()
    }

    fn is_homing(&self) -> bool {
        (**self).is_homing()
    }

    fn recover(&mut self) -> Result<bool, Self::Error> {
        (**self).recover()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_motion_begins_where_the_arm_is() {
        let here = [0.1; JOINTS];
        let mut wanted = here;
        wanted[6] += 0.99 * START_RAD;
        assert_eq!(StartGap::check(&wanted, &here), Ok(()));
        for gap in [f64::NAN, START_RAD * 1.01, -START_RAD * 1.01] {
            wanted[2] = here[2] + gap;
            let refused = StartGap::check(&wanted, &here).unwrap_err();
            assert_eq!(refused.joint, 3);
            assert!(refused.to_string().contains("within 0.05 rad"), "{refused}");
        }
    }

    #[test]
    fn only_what_can_pass_is_tried_again() {
        let mut tries = 0;
        let connected = connect_within(
            Duration::from_secs(60),
            |text| *text == "starting",
            || {
                tries += 1;
                match tries {
                    1 => Err("starting"),
                    2 => Err("another version"),
                    _ => Ok(()),
                }
            },
        );
        assert_eq!((connected, tries), (Err("another version"), 2));
        let at_once = connect_within(Duration::ZERO, |_| true, || Err::<(), _>("starting"));
        assert_eq!(at_once, Err("starting"));
    }
}
