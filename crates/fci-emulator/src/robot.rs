//! The robot's mind: modes, motions, reflexes, recovery, one millisecond at a time. No socket, no
//! clock: the same requests and commands in the same cycles give the same bits.

use franka::model::{FER_URDF, FR3_URDF};
use franka::wire::robot::v10::{
    AutomaticErrorRecoveryStatus, GetterSetterStatus, MoveControllerMode, MoveMotionGeneratorMode,
    RobotMode, StopMoveStatus,
};
use franka::{FciVersion, MoveStatus};
use nalgebra::Isometry3;
use tiller_core::JOINTS;
use tiller_core::kinematics::forward;

use crate::StartError;
use crate::arm::{Drive, EmulatedArm};
use crate::bounds::{Bounds, SLACK_NM_S, TORQUE_NM, TORQUE_RATE_NM_S};
use crate::faults::Trouble;
use crate::flags::{ErrorFlag, ErrorFlags};
use crate::frames;
use crate::hand_motion::{HandReference, Twist};
use crate::log::{Event, Log};
use crate::reference::{JOINT_MOTION, Reference};
use crate::success::SuccessRate;
use crate::wire::{Answer, Command, Request, Setting};

mod told;

/// Commands in a row that may be missing before the robot stops; the last of them is the reason.
pub(crate) const MOST_MISSED: u32 = 20;

/// Cycles in which the first command of a motion may come.
const PATIENCE: u32 = 500;

/// Highest stiffness of a joint, Nm/rad, and of the hand, N/m and Nm/rad.
const STIFFEST_JOINT: f64 = 14_250.0;
const STIFFEST_HAND: [f64; 6] = [3000.0, 3000.0, 3000.0, 300.0, 300.0, 300.0];

/// A motion under way.
#[derive(Debug, Clone)]
struct Motion {
    /// The request that began it: it is answered again at the end.
    request: u32,
    generator: MoveMotionGeneratorMode,
    controller: MoveControllerMode,
    /// Cycles since it began, and since its first command.
    cycles: u64,
    commanded: u64,
    missed: u32,
    torque_nm: [f64; JOINTS],
}

/// An answer that comes later than its request: how a motion ended, or that errors are cleared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Late {
    pub(crate) request: u32,
    pub(crate) answer: Answer,
}

/// The robot. See the module's documentation.
pub(crate) struct Robot {
    version: FciVersion,
    bounds: Bounds,
    arm: Box<dyn EmulatedArm>,
    mode: RobotMode,
    motion: Option<Motion>,
    joints: Reference,
    hand: HandReference,
    errors: ErrorFlags,
    reflex_reason: ErrorFlags,
    /// Whether errors can only be cleared by hand.
    is_stuck: bool,
    /// The request to clear errors that waits for the arm to rest.
    recovering: Option<u32>,
    tool: Isometry3<f64>,
    stiffness: [f64; 16],
    load: (f64, [f64; 3], [f64; 9]),
    success: SuccessRate,
    number: u64,
    missed: u64,
    taken: u64,
    pub(crate) log: Log,
}

impl Robot {
    pub(crate) fn new(version: FciVersion, arm: Box<dyn EmulatedArm>) -> Result<Self, StartError> {
        let q_rad = arm.reading().q_rad;
        Ok(Self {
            version,
            bounds: Bounds::new(version)?,
            arm,
            mode: RobotMode::Idle,
            motion: None,
            joints: Reference::at_rest(q_rad),
            hand: HandReference::at_rest(forward(&q_rad).isometry()),
            errors: [0; _],
            reflex_reason: [0; _],
            is_stuck: false,
            recovering: None,
            tool: Isometry3::identity(),
            stiffness: frames::IDENTITY,
            load: (0.0, [0.0; 3], [0.0; 9]),
            success: SuccessRate::default(),
            number: 0,
            missed: 0,
            taken: 0,
            log: Log::default(),
        })
    }

    pub(crate) fn arm(&self) -> &dyn EmulatedArm {
        self.arm.as_ref()
    }

    pub(crate) fn joints(&self) -> &Reference {
        &self.joints
    }

    /// Cycles so far, commands taken, commands missed.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.number, self.taken, self.missed)
    }

    /// Number of the last state, and whether it waits for a command.
    pub(crate) fn awaits(&self) -> (u64, bool) {
        let is_awaited = self
            .motion
            .as_ref()
            .is_some_and(|motion| motion.commanded > 0);
        (self.number, is_awaited)
    }

    /// Milliseconds that the motion under way has been commanded for.
    pub(crate) fn commanded_ms(&self) -> Option<u64> {
        self.motion.as_ref().map(|motion| motion.commanded)
    }

    pub(crate) fn note(&mut self, event: Event) {
        self.log.note(self.number, event);
    }

    /// Answers a request other than that to connect, now or later; `id` is the request's.
    pub(crate) fn answer(&mut self, request: Request, id: u32) -> Option<Answer> {
        Some(match request {
            // A motion is ended first, by `end`.
            Request::StopMove => Answer::StopMove(StopMoveStatus::Success),
            Request::Connect { .. } | Request::Unknown => Answer::NotPossible,
            Request::Move {
                controller,
                generator,
            } => Answer::Move(self.begin(controller, generator, id)),
            Request::Set(setting) => Answer::Set(self.set(setting)),
            Request::Recover => return self.recover(id).map(Answer::Recovery),
            Request::Model if self.version == FciVersion::V10 => Answer::Model(FR3_URDF),
            Request::Model => Answer::Model(FER_URDF),
        })
    }

    fn begin(&mut self, controller: u32, generator: u32, id: u32) -> MoveStatus {
        let controller = MoveControllerMode::from_u32(controller);
        let generator = MoveMotionGeneratorMode::from_u32(generator);
        let (Some(controller), Some(generator)) = (controller, generator) else {
            return MoveStatus::InvalidArgumentRejected;
        };
        let is_torque = controller == MoveControllerMode::ExternalController;
        let is_alone = generator == MoveMotionGeneratorMode::None;
        if is_alone && (!is_torque || self.version == FciVersion::V5) {
            return MoveStatus::InvalidArgumentRejected;
        }
        if is_torque && !self.arm.takes_torques() {
            return MoveStatus::CommandNotPossibleRejected;
        }
        if self.mode != RobotMode::Idle {
            return MoveStatus::CommandNotPossibleRejected;
        }
        self.hand = HandReference::at_rest(self.hand_of(&self.joints.q_rad));
        self.motion = Some(Motion {
            request: id,
            generator,
            controller,
            cycles: 0,
            commanded: 0,
            missed: 0,
            torque_nm: [0.0; JOINTS],
        });
        self.mode = RobotMode::Move;
        self.success = SuccessRate::default();
        self.note(Event::MotionBegan {
            generator: format!("{generator:?}"),
            controller: format!("{controller:?}"),
        });
        MoveStatus::MotionStarted
    }

    /// Ends the motion under way, if there is one; the arm is braked.
    pub(crate) fn end(&mut self, status: MoveStatus) -> Option<Late> {
        let motion = self.motion.take()?;
        if self.mode == RobotMode::Move {
            self.mode = RobotMode::Idle;
        }
        if motion.controller == MoveControllerMode::ExternalController {
            // The robot holds the arm where the torques have brought it.
            self.joints.settle(self.arm.reading().q_rad);
        }
        self.note(Event::MotionEnded {
            status: format!("{status:?}"),
            commanded_ms: motion.commanded,
        });
        Some(Late {
            request: motion.request,
            answer: Answer::Move(status),
        })
    }

    /// What the robot does when something is wrong with it or with what it is told.
    pub(crate) fn reflex(&mut self, flag: ErrorFlag) -> Option<Late> {
        self.errors = flag.alone();
        self.reflex_reason = self.errors;
        self.mode = RobotMode::Reflex;
        self.note(Event::Reflex(flag));
        self.end(MoveStatus::ReflexAborted)
    }

    /// Trouble from outside.
    pub(crate) fn suffer(&mut self, trouble: Trouble) -> Option<Late> {
        match trouble {
            Trouble::Reflex(flag) => self.reflex(flag),
            Trouble::UserStop(true) => {
                self.mode = RobotMode::UserStopped;
                self.note(Event::UserStop(true));
                self.end(MoveStatus::EmergencyAborted)
            }
            Trouble::UserStop(false) => {
                if self.mode == RobotMode::UserStopped {
                    self.mode = RobotMode::Idle;
                    self.note(Event::UserStop(false));
                }
                None
            }
            Trouble::Stuck(is_stuck) => {
                self.is_stuck = is_stuck;
                None
            }
        }
    }

    /// Clears errors once the arm rests; says at once where that is not possible.
    fn recover(&mut self, id: u32) -> Option<AutomaticErrorRecoveryStatus> {
        match self.mode {
            RobotMode::Idle | RobotMode::Reflex if !self.is_stuck => {
                self.mode = RobotMode::AutomaticErrorRecovery;
                self.recovering = Some(id);
                None
            }
            RobotMode::Idle | RobotMode::Reflex => {
                Some(AutomaticErrorRecoveryStatus::ManualErrorRecoveryRequiredRejected)
            }
            _ => Some(AutomaticErrorRecoveryStatus::CommandNotPossibleRejected),
        }
    }

    /// Clears the errors if that was asked and the arm rests.
    fn clear(&mut self) -> Option<Late> {
        if self.joints.dq_rad_s != [0.0; JOINTS] || self.mode != RobotMode::AutomaticErrorRecovery {
            return None;
        }
        let request = self.recovering.take()?;
        self.errors = [0; _];
        self.mode = RobotMode::Idle;
        self.note(Event::Recovered);
        let answer = Answer::Recovery(AutomaticErrorRecoveryStatus::Success);
        Some(Late { request, answer })
    }

    fn set(&mut self, setting: Setting) -> GetterSetterStatus {
        // What a motion relies on cannot be changed under it.
        let is_free = matches!(setting, Setting::Collision(_) | Setting::Load { .. });
        if self.mode == RobotMode::Move && !is_free {
            return GetterSetterStatus::CommandNotPossibleRejected;
        }
        let name = setting.name();
        let all =
            |values: &[f64], most: f64| values.iter().all(|value| (0.0..=most).contains(value));
        let is_sound = match setting {
            Setting::Collision(values) => values.len() == 52 && all(&values, f64::MAX),
            Setting::Filters(values) => values.len() == 5 && all(&values, 1000.0),
            Setting::JointStiffness(values) => all(&values, STIFFEST_JOINT),
            Setting::CartesianStiffness(values) => values
                .iter()
                .zip(STIFFEST_HAND)
                .all(|(value, most)| (0.0..=most).contains(value)),
            Setting::Guiding => true,
            Setting::StiffnessFrame(columns) => match frames::from_columns(&columns) {
                Some(_) => {
                    self.stiffness = columns;
                    true
                }
                None => false,
            },
            Setting::EndEffector(columns) => match frames::from_columns(&columns) {
                Some(tool) => {
                    self.tool = tool;
                    self.hand = HandReference::at_rest(self.hand_of(&self.joints.q_rad));
                    true
                }
                None => false,
            },
            Setting::Load {
                mass,
                centre,
                inertia,
            } => {
                let is_sound = mass.is_finite()
                    && mass >= 0.0
                    && centre.iter().chain(&inertia).all(|value| value.is_finite());
                if is_sound {
                    self.load = (mass, centre, inertia);
                }
                is_sound
            }
        };
        if !is_sound {
            return GetterSetterStatus::InvalidArgumentRejected;
        }
        self.note(Event::Set(name));
        GetterSetterStatus::Success
    }

    /// One millisecond: takes the command that came for it, if one did, and moves the arm.
    pub(crate) fn cycle(
        &mut self,
        command: Option<&Command>,
        gripper_width_m: f64,
    ) -> Option<Late> {
        self.number += 1;
        let late = match self.motion.take() {
            Some(mut motion) => {
                let followed = self.follow(&mut motion, command);
                self.motion = Some(motion);
                match followed {
                    Ok(false) => None,
                    Ok(true) => self.end(MoveStatus::Success),
                    Err(flag) => self.reflex(flag),
                }
            }
            None => {
                self.joints.brake();
                self.clear()
            }
        };
        let drive = match &self.motion {
            Some(motion) if motion.controller == MoveControllerMode::ExternalController => {
                Drive::Torque(motion.torque_nm)
            }
            _ => Drive::Position(self.joints.q_rad),
        };
        self.arm.step(&drive, gripper_width_m);
        if matches!(drive, Drive::Torque(_)) && self.generator() == MoveMotionGeneratorMode::None {
            let reading = self.arm.reading();
            self.joints.settle(reading.q_rad);
            self.joints.dq_rad_s = reading.dq_rad_s;
        }
        late
    }

    /// One cycle of a motion; true where the command was the last.
    fn follow(
        &mut self,
        motion: &mut Motion,
        command: Option<&Command>,
    ) -> Result<bool, ErrorFlag> {
        motion.cycles += 1;
        let Some(command) = command else {
            return self.miss(motion).map(|()| false);
        };
        if motion.commanded == 0 {
            self.check_start(motion, command)?;
        }
        motion.commanded += 1;
        motion.missed = 0;
        self.taken += 1;
        self.success.add(true);
        self.steer(motion, command)?;
        if motion.controller == MoveControllerMode::ExternalController {
            take_torque(&mut motion.torque_nm, &command.torque_nm)?;
        }
        Ok(command.is_last)
    }

    fn check_start(&self, motion: &Motion, command: &Command) -> Result<(), ErrorFlag> {
        match motion.generator {
            MoveMotionGeneratorMode::JointPosition => self.joints.check_start(&command.q_rad),
            MoveMotionGeneratorMode::CartesianPosition => {
                self.hand.check_start(&pose_of(&command.pose)?)
            }
            _ => Ok(()),
        }
    }

    fn steer(&mut self, motion: &Motion, command: &Command) -> Result<(), ErrorFlag> {
        let tool_inverse = self.tool.inverse();
        let (joints, hand, bounds) = (&mut self.joints, &mut self.hand, &self.bounds);
        match motion.generator {
            MoveMotionGeneratorMode::JointPosition => {
                joints.go_to(&command.q_rad, bounds, &JOINT_MOTION)
            }
            MoveMotionGeneratorMode::JointVelocity => joints.go_on(&command.dq_rad_s, bounds),
            MoveMotionGeneratorMode::CartesianPosition => {
                hand.go_to(pose_of(&command.pose)?, &tool_inverse, joints, bounds)
            }
            MoveMotionGeneratorMode::CartesianVelocity => {
                let twist = Twist::from(command.twist);
                hand.go_on(twist, &tool_inverse, joints, bounds)
            }
            MoveMotionGeneratorMode::None => Ok(()),
        }
    }

    /// A command did not come in time.
    fn miss(&mut self, motion: &mut Motion) -> Result<(), ErrorFlag> {
        if motion.commanded == 0 {
            let is_patient = motion.cycles < u64::from(PATIENCE);
            return is_patient.then_some(()).ok_or(ErrorFlag::COMMUNICATION);
        }
        motion.commanded += 1;
        motion.missed += 1;
        self.missed += 1;
        self.success.add(false);
        if motion.missed >= MOST_MISSED {
            return Err(ErrorFlag::COMMUNICATION);
        }
        self.joints.extrapolate();
        if is_of_hand(motion.generator) {
            self.hand.extrapolate();
        }
        Ok(())
    }

    fn generator(&self) -> MoveMotionGeneratorMode {
        self.motion
            .as_ref()
            .map_or(MoveMotionGeneratorMode::JointPosition, |motion| {
                motion.generator
            })
    }

    /// Where joints bring the end effector.
    fn hand_of(&self, q_rad: &[f64; JOINTS]) -> Isometry3<f64> {
        forward(q_rad).isometry() * self.tool
    }
}

fn pose_of(columns: &[f64; 16]) -> Result<Isometry3<f64>, ErrorFlag> {
    frames::from_columns(columns).ok_or(ErrorFlag::INVALID_FRAME)
}

fn is_of_hand(generator: MoveMotionGeneratorMode) -> bool {
    matches!(
        generator,
        MoveMotionGeneratorMode::CartesianPosition | MoveMotionGeneratorMode::CartesianVelocity
    )
}

fn take_torque(now_nm: &mut [f64; JOINTS], wanted_nm: &[f64; JOINTS]) -> Result<(), ErrorFlag> {
    let most_nm = (TORQUE_RATE_NM_S + SLACK_NM_S) * tiller_motion::PERIOD_S;
    for joint in 0..JOINTS {
        let wanted = wanted_nm[joint];
        if wanted.is_nan() || wanted.abs() > TORQUE_NM[joint] {
            return Err(ErrorFlag::TORQUE_RANGE);
        }
        if (wanted - now_nm[joint]).abs() > most_nm {
            return Err(ErrorFlag::TORQUE_DISCONTINUITY);
        }
    }
    *now_nm = *wanted_nm;
    Ok(())
}

#[cfg(test)]
mod tests;
