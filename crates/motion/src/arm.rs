//! The seam to robots: what an arm is, and the only way to command one.

use thiserror::Error;

use crate::actuator::Actuator;
use crate::chunk::Chunk;
use crate::config::{ActuatorConfig, ActuatorError};
use crate::event::{Refusal, SafetyEvent};
use crate::kinematics::{JOINTS, JointVector};
use crate::status::{ActuatorStatus, ResumeError};

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

/// A robot arm with a gripper, at the level of its drivers.
///
/// Implementations pass commands on as they are: wrap them in a [`LimitedArm`], which is what the
/// rest of the program gets.
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
}

/// Why a limited arm could not be started or driven.
#[derive(Debug, Error)]
pub enum LimitedArmError<E: std::error::Error + 'static> {
    /// The robot could not be read; a controlled stop is commanded meanwhile.
    #[error("reading the robot failed")]
    Read(#[source] E),
    /// The robot did not take a command.
    #[error("commanding the robot failed")]
    Command(#[source] E),
    /// The limits or the robot's state do not allow motion.
    #[error(transparent)]
    Actuator(#[from] ActuatorError),
}

/// An arm that can only be moved through an [`Actuator`]: every command has passed the limits.
#[derive(Debug)]
pub struct LimitedArm<A: Arm> {
    arm: A,
    actuator: Actuator,
}

impl<A: Arm> LimitedArm<A> {
    /// Takes over `arm`, at rest where it is.
    ///
    /// # Errors
    /// When the arm cannot be read or [`Actuator::new`] refuses its state or the settings.
    pub fn new(
        mut arm: A,
        config: ActuatorConfig,
        now_ns: u64,
    ) -> Result<Self, LimitedArmError<A::Error>> {
        let reading = arm.read().map_err(LimitedArmError::Read)?;
        let actuator = Actuator::new(config, &reading, now_ns)?;
        Ok(Self { arm, actuator })
    }

    /// One millisecond: read, limit, command. Call at 1 kHz.
    ///
    /// A failed reading is commanded through: the arm keeps getting setpoints, which brake once
    /// readings have been missing for the configured time.
    ///
    /// # Errors
    /// When reading (after having commanded) or commanding failed.
    pub fn tick(&mut self, now_ns: u64) -> Result<Setpoint, LimitedArmError<A::Error>> {
        let reading = self.arm.read();
        let setpoint = match &reading {
            Ok(reading) => self.actuator.tick(reading, now_ns),
            Err(_) => self.actuator.tick_without_reading(now_ns),
        };
        self.arm
            .command(&setpoint)
            .map_err(LimitedArmError::Command)?;
        reading.map_err(LimitedArmError::Read).map(|_| setpoint)
    }

    /// See [`Actuator::accept`].
    ///
    /// # Errors
    /// When the chunk was refused.
    pub fn accept(&mut self, chunk: &Chunk, now_ns: u64) -> Result<(), Refusal> {
        self.actuator.accept(chunk, now_ns)
    }

    /// See [`Actuator::stop`].
    pub fn stop(&mut self, reason: &str, now_ns: u64) {
        self.actuator.stop(reason, now_ns);
    }

    /// See [`Actuator::resume`].
    ///
    /// # Errors
    /// When the actuator is not stopped, or the robot was moved meanwhile.
    pub fn resume(&mut self, now_ns: u64) -> Result<(), ResumeError> {
        self.actuator.resume(now_ns)
    }

    /// See [`Actuator::forget_sequence`].
    pub fn forget_sequence(&mut self) {
        self.actuator.forget_sequence();
    }

    /// See [`Actuator::status`].
    pub fn status(&self) -> ActuatorStatus {
        self.actuator.status()
    }

    /// See [`Actuator::drain_events`].
    pub fn drain_events(&mut self) -> Vec<SafetyEvent> {
        self.actuator.drain_events()
    }

    /// The arm itself, to look at; it cannot be commanded this way.
    pub fn arm(&self) -> &A {
        &self.arm
    }
}
