//! The seam to robots: what an arm is.

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
