//! The arm.

use std::time::Duration;

use franka::rate_limiting::{self, fer};
use franka::robot::robot_impl::{DEFAULT_DEVIATION, RobotImpl};
use franka::wire::f64s_to_wire;
use franka::wire::robot::{Deviation, MotionGeneratorCommand, MoveMotionGeneratorMode};
use franka::{
    FciVersion, FrankaError, MoveControllerMode, RobotMode, RobotState, limit_rate_joint_positions,
};
use tiller_motion::limits::Robot;
use tiller_motion::{Arm, ArmFault, ArmReading, Setpoint, StartGap};

use crate::config::FciConfig;
use crate::error::FciError;
use crate::hand::{Hand, HandState};
use crate::probe::connect;
use crate::steady::{Joints, Steady};

/// Speed below which the arm counts as at rest, rad/s.
const REST_RAD_S: f64 = 1e-3;

/// Longest gap in the robot's time that is made up for, ms; it stops by itself well before.
const LONGEST_MS: u64 = 100;

/// What single precision makes of accelerations and jerks by differences of the robot's state, which
/// the limiter goes by: of joints' angles up to 4 rad, rad/s2 and rad/s3.
const ROUNDING_RAD_S2: f64 = 0.5;
const ROUNDING_RAD_S3: f64 = 500.0;

/// States that a robot may take to be ready once it has said that it is.
const MOST_STATES: usize = 1000;

/// A change by the rate limiter that counts as one, rad.
const LIMITED_RAD: f64 = 1e-9;

/// A Franka arm over the Franka Control Interface: an FR3 (version 10) or a Panda (version 5).
///
/// Joint positions go to the robot's own joint impedance controller once a millisecond, in answer to
/// its states. A motion begins with the first setpoint and lasts until the arm is dropped or the
/// robot stops. After that every reading says why, until [`Arm::recover`].
pub struct FciArm {
    config: FciConfig,
    robot: RobotImpl,
    hand: Option<Hand>,
    state: RobotState,
    /// Whether nobody has read the state yet.
    is_new: bool,
    motion: Option<u32>,
    failure: Option<FciError>,
    steady: Steady,
    /// Milliseconds between the last two states that were read.
    elapsed_ms: u32,
    /// Setpoints that are due but come too late to be sent.
    late: u32,
    /// Whether some were.
    was_late: bool,
    /// Whether the hand was homed because somebody asked for it.
    has_homed: bool,
    /// Share of the last hundred commands that the robot received while it moved.
    received: f64,
}

impl FciArm {
    /// Connects to the robot and its hand, and tells it how to react. Nothing moves, but for the
    /// hand's homing where that is set.
    ///
    /// # Errors
    /// When the robot cannot be reached, speaks another version, or refuses a setting.
    pub fn connect(config: &FciConfig) -> Result<Self, FciError> {
        let robot = open(config)?;
        let hand = config.hand.as_ref().map(Hand::connect).transpose()?;
        let state = robot
            .read_once()
            .map_err(|error| FciError::of(error, 0.0))?;
        Ok(Self {
            config: config.clone(),
            robot,
            hand,
            state,
            is_new: true,
            motion: None,
            failure: None,
            steady: Steady::default(),
            elapsed_ms: 1,
            late: 0,
            was_late: false,
            has_homed: false,
            received: 0.0,
        })
    }

    /// The same with a robot that may be starting: one that cannot be reached is tried again for
    /// `patience`.
    ///
    /// # Errors
    /// As [`FciArm::connect`].
    pub fn connect_within(config: &FciConfig, patience: Duration) -> Result<Self, FciError> {
        let may_come = |error: &FciError| matches!(error, FciError::Unreachable { .. });
        tiller_motion::connect_within(patience, may_come, || Self::connect(config))
    }

    /// Which robot answered.
    #[must_use]
    pub fn robot(&self) -> Robot {
        match self.robot.version() {
            FciVersion::V5 => Robot::Panda,
            FciVersion::V10 => Robot::Fr3,
        }
    }

    /// What the hand measures; one that is not there is closed.
    ///
    /// # Errors
    /// When its connection is lost.
    pub fn hand(&self) -> Result<HandState, FciError> {
        let none = HandState {
            width_m: 0.0,
            is_holding: false,
        };
        self.hand.as_ref().map_or(Ok(none), Hand::state)
    }

    /// Takes over the next state.
    fn receive(&mut self, command: Option<&MotionGeneratorCommand>) -> Result<(), FciError> {
        match self.robot.update_motion(command, None) {
            Ok(state) => {
                let passed = state
                    .time
                    .as_millis()
                    .saturating_sub(self.state.time.as_millis());
                // Nothing is late for an arm that does not follow yet.
                let longest_ms = if self.motion.is_some() { LONGEST_MS } else { 1 };
                self.elapsed_ms = passed.clamp(1, longest_ms) as u32;
                // A robot that has stopped tells of none any more.
                if state.robot_mode == RobotMode::Move {
                    self.received = state.control_command_success_rate;
                }
                self.state = state;
                self.is_new = true;
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// What went wrong, which holds until somebody recovers the arm.
    fn fail(&mut self, error: FrankaError) -> FciError {
        let error = FciError::of(error, self.received);
        self.motion = None;
        self.failure = Some(error.clone());
        error
    }

    fn begin(&mut self, setpoint: &Joints) -> Result<(), FciError> {
        StartGap::check(setpoint, &self.state.q_d)?;
        let (translation, rotation, elbow) = DEFAULT_DEVIATION;
        let deviation = Deviation::new(translation, rotation, elbow);
        let begun = self.robot.start_motion(
            MoveControllerMode::JointImpedance,
            MoveMotionGeneratorMode::JointPosition,
            deviation,
            deviation,
        );
        match begun {
            Ok(motion) => {
                self.steady.reset();
                self.was_late = false;
                // The robot has waited; whatever was due meanwhile is of no account.
                self.receive(None)?;
                self.is_new = false;
                self.motion = Some(motion);
                Ok(())
            }
            Err(error @ FrankaError::Network(_)) => Err(self.fail(error)),
            Err(error) => Err(self.not_begun(error)),
        }
    }

    /// Why a motion did not begin; where the robot stopped at once, its state has the reason.
    fn not_begun(&mut self, error: FrankaError) -> FciError {
        match self.robot.read_once() {
            Ok(state) if state.robot_mode == RobotMode::Reflex => {
                let failure = FciError::Reflex {
                    reasons: state.last_motion_errors.names(),
                    received: state.control_command_success_rate,
                };
                self.failure = Some(failure.clone());
                failure
            }
            _ => FciError::of(error, 0.0),
        }
    }

    /// The robot's own limits as a last guard: what it would stop for is not sent.
    fn limited(&self, q_rad: &Joints) -> Result<Joints, FciError> {
        let (acceleration, jerk) = match self.robot.version() {
            FciVersion::V5 => (fer::MAX_JOINT_ACCELERATION, fer::MAX_JOINT_JERK),
            FciVersion::V10 => (
                rate_limiting::MAX_JOINT_ACCELERATION,
                rate_limiting::MAX_JOINT_JERK,
            ),
        };
        let acceleration = acceleration.map(|most| most - ROUNDING_RAD_S2);
        let jerk = jerk.map(|most| most - ROUNDING_RAD_S3);
        let state = &self.state;
        limit_rate_joint_positions(
            &self.robot.upper_joint_velocity_limits(&state.q_d),
            &self.robot.lower_joint_velocity_limits(&state.q_d),
            &acceleration,
            &jerk,
            q_rad,
            &state.q_d,
            &state.dq_d,
            &state.ddq_d,
        )
        .map_err(|error| FciError::of(error, 0.0))
    }

    fn send(&mut self, setpoint: &Joints) -> Result<(), FciError> {
        let was_late = std::mem::take(&mut self.was_late);
        let wanted = self.steady.next(setpoint, &self.state, was_late);
        let sent = self.limited(&wanted)?;
        self.steady.sent(&sent);
        // What the limiter has changed is to be worn off too.
        self.was_late = (0..7).any(|joint| (sent[joint] - wanted[joint]).abs() > LIMITED_RAD);
        let command = MotionGeneratorCommand {
            q_c: f64s_to_wire(&sent),
            ..Default::default()
        };
        self.receive(Some(&command))
    }

    fn is_at_rest(&self) -> bool {
        self.state.dq_d.iter().all(|rate| rate.abs() < REST_RAD_S)
    }
}

impl Arm for FciArm {
    type Error = FciError;

    /// Waits for the robot's next state, a millisecond at most; for a second where it is silent.
    fn read(&mut self) -> Result<ArmReading, FciError> {
        if let Some(failure) = &self.failure
            && failure.is_of_connection()
        {
            return Err(failure.clone());
        }
        if !self.is_new {
            self.receive(None)?;
        }
        self.is_new = false;
        self.late = self.elapsed_ms - 1;
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if let Some(motion) = self.motion {
            if let Err(error) = self.robot.throw_on_motion_error(&self.state, motion) {
                return Err(self.fail(error));
            }
        } else if !is_ready(&self.state) {
            return Err(not_ready(&self.state));
        }
        let hand = self
            .hand()
            .inspect_err(|error| self.failure = Some(error.clone()))?;
        Ok(ArmReading {
            q_rad: self.state.q,
            dq_rad_s: self.state.dq,
            gripper_width_m: hand.width_m,
        })
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), FciError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.late > 0 {
            self.late -= 1;
            self.steady.pass(&setpoint.q_rad);
            self.was_late = true;
            return Ok(());
        }
        if self.motion.is_none() {
            if !is_ready(&self.state) {
                return Err(not_ready(&self.state));
            }
            self.late = 0;
            self.begin(&setpoint.q_rad)?;
        }
        if let Some(hand) = &self.hand {
            hand.want(setpoint.gripper_width_m);
        }
        self.send(&setpoint.q_rad)
    }

    fn elapsed_ms(&self) -> Option<u32> {
        Some(self.elapsed_ms)
    }

    fn fault(&self) -> Option<ArmFault> {
        match &self.failure {
            Some(failure) => Some(failure.fault()),
            None if self.motion.is_some() || is_ready(&self.state) => None,
            None => Some(not_ready(&self.state).fault()),
        }
    }

    fn home(&mut self) -> Result<bool, FciError> {
        let wanted = self
            .config
            .hand
            .as_ref()
            .is_some_and(|hand| hand.homes_when_asked);
        match &self.hand {
            Some(hand) if wanted && !self.has_homed => {
                hand.home();
                self.has_homed = true;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn is_homing(&self) -> bool {
        self.hand.as_ref().is_some_and(Hand::is_homing)
    }

    fn recover(&mut self) -> Result<bool, FciError> {
        if self.motion.is_some() && self.failure.is_none() {
            return Ok(false);
        }
        let was_ready = self.failure.is_none() && is_ready(&self.state);
        let of = |error| FciError::of(error, 0.0);
        // Whoever lost one connection may not know of the other yet.
        let is_of_connection = |failure: &FciError| failure.is_of_connection();
        if self.failure.as_ref().is_some_and(is_of_connection) {
            self.hand = None;
            self.hand = self.config.hand.as_ref().map(Hand::connect).transpose()?;
        }
        if matches!(self.failure, Some(FciError::ConnectionLost(_))) {
            self.robot = open(&self.config)?;
        }
        self.state = match self.robot.read_once() {
            Err(FrankaError::Network(_)) => {
                self.robot = open(&self.config)?;
                self.robot.read_once().map_err(of)?
            }
            state => state.map_err(of)?,
        };
        if self.state.robot_mode == RobotMode::UserStopped {
            self.failure = Some(FciError::UserStop);
            return Err(FciError::UserStop);
        }
        if !is_ready(&self.state) {
            self.robot.automatic_error_recovery().map_err(of)?;
            // States from before may still be on their way.
            for _ in 0..MOST_STATES {
                self.state = self.robot.read_once().map_err(of)?;
                if is_ready(&self.state) {
                    break;
                }
            }
        }
        if !is_ready(&self.state) {
            return Err(not_ready(&self.state));
        }
        self.is_new = true;
        self.elapsed_ms = 1;
        self.failure = None;
        self.motion = None;
        Ok(!was_ready)
    }
}

impl Drop for FciArm {
    /// Ends the motion: at its setpoint where the arm rests, else as the robot stops.
    fn drop(&mut self) {
        let Some(motion) = self.motion.take() else {
            return;
        };
        let command = MotionGeneratorCommand {
            q_c: f64s_to_wire(&self.state.q_d),
            ..Default::default()
        };
        let ended = if self.is_at_rest() {
            self.robot.finish_motion(motion, Some(&command), None)
        } else {
            self.robot.cancel_motion(motion)
        };
        // Nobody is left to be told; a robot that hears nothing more stops by itself.
        let _ = ended;
    }
}

/// Connects to the robot and tells it how to react.
fn open(config: &FciConfig) -> Result<RobotImpl, FciError> {
    let connecting = |error| FciError::on_connecting(error, &config.address);
    let robot = connect(&config.address)?.map_err(connecting)?;
    let (torque, force) = ([config.collision_nm; 7], [config.collision_n; 6]);
    robot
        .set_collision_behavior(
            &torque, &torque, &torque, &torque, &force, &force, &force, &force,
        )
        .map_err(connecting)?;
    if let Some(stiffness) = &config.stiffness_nm_rad {
        robot.set_joint_impedance(stiffness).map_err(connecting)?;
    }
    Ok(robot)
}

fn is_ready(state: &RobotState) -> bool {
    state.robot_mode == RobotMode::Idle
}

fn not_ready(state: &RobotState) -> FciError {
    match state.robot_mode {
        RobotMode::UserStopped => FciError::UserStop,
        mode => FciError::NotReady { mode },
    }
}
