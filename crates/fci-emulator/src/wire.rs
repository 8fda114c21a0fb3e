//! Bytes to requests and commands, answers and states to bytes, in both versions of the interface.

use franka::wire::f64s_to_f64;
use franka::wire::robot::v5;
use franka::wire::robot::v10::{
    self, AutomaticErrorRecoveryStatus, Command as V10Command, ConnectRequest, ConnectResponse,
    ConnectStatus, GetterSetterStatus, SetCartesianImpedanceRequest, SetEEToKRequest,
    SetJointImpedanceRequest, SetLoadRequest, SetNEToEERequest, StopMoveStatus,
};
use franka::{FciVersion, MoveStatus};
use zerocopy::little_endian::{F32, F64};
use zerocopy::{FromBytes, IntoBytes};

use crate::flags::ErrorFlags;

/// What a client asks over its connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    Connect {
        version: u16,
        udp_port: u16,
    },
    Move {
        controller: u32,
        generator: u32,
    },
    StopMove,
    Set(Setting),
    Recover,
    Model,
    /// Of the other version, or of none.
    Unknown,
}

/// What a client sets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Setting {
    /// Thresholds that the emulated arm, which feels nothing, only checks.
    Collision(Vec<f64>),
    /// Nm/rad.
    JointStiffness([f64; 7]),
    /// N/m and Nm/rad.
    CartesianStiffness([f64; 6]),
    Guiding,
    /// Pose of the stiffness frame in the end effector's, by columns.
    StiffnessFrame([f64; 16]),
    /// Pose of the end effector in the nominal one, by columns.
    EndEffector([f64; 16]),
    /// kg, m, kg m2.
    Load {
        mass: f64,
        centre: [f64; 3],
        inertia: [f64; 9],
    },
    /// Cut-off frequencies, Hz; version 5 only.
    Filters(Vec<f64>),
}

impl Setting {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Collision(_) => "collision thresholds",
            Self::JointStiffness(_) => "joint stiffness",
            Self::CartesianStiffness(_) => "Cartesian stiffness",
            Self::Guiding => "guiding mode",
            Self::StiffnessFrame(_) => "stiffness frame",
            Self::EndEffector(_) => "end effector",
            Self::Load { .. } => "load",
            Self::Filters(_) => "filters",
        }
    }
}

/// What the robot answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Connected {
        is_accepted: bool,
    },
    Move(MoveStatus),
    StopMove(StopMoveStatus),
    Set(GetterSetterStatus),
    Recovery(AutomaticErrorRecoveryStatus),
    Model(&'static str),
    /// Not possible in this version.
    NotPossible,
}

/// What a client commands in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    /// Number of the state that it answers.
    pub(crate) answers: u64,
    pub(crate) q_rad: [f64; 7],
    pub(crate) dq_rad_s: [f64; 7],
    /// Pose of the end effector, by columns.
    pub(crate) pose: [f64; 16],
    pub(crate) twist: [f64; 6],
    pub(crate) torque_nm: [f64; 7],
    pub(crate) is_last: bool,
}

/// What the robot tells in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) number: u64,
    pub(crate) q_rad: [f64; 7],
    pub(crate) dq_rad_s: [f64; 7],
    pub(crate) q_d_rad: [f64; 7],
    pub(crate) dq_d_rad_s: [f64; 7],
    pub(crate) ddq_d_rad_s2: [f64; 7],
    pub(crate) torque_nm: [f64; 7],
    /// Measured, desired and commanded pose of the end effector, by columns.
    pub(crate) pose: [f64; 16],
    pub(crate) pose_d: [f64; 16],
    pub(crate) pose_c: [f64; 16],
    pub(crate) twist_c: [f64; 6],
    pub(crate) acceleration_c: [f64; 6],
    /// Flange to nominal end effector, to end effector, from there to the stiffness frame.
    pub(crate) flange_to_nominal: [f64; 16],
    pub(crate) flange_to_tool: [f64; 16],
    pub(crate) nominal_to_tool: [f64; 16],
    pub(crate) tool_to_stiffness: [f64; 16],
    pub(crate) load: (f64, [f64; 3], [f64; 9]),
    pub(crate) elbow: [f64; 2],
    pub(crate) elbow_d: [f64; 2],
    pub(crate) generator_mode: u8,
    pub(crate) controller_mode: u8,
    pub(crate) errors: ErrorFlags,
    pub(crate) reflex_reason: ErrorFlags,
    pub(crate) robot_mode: u8,
    pub(crate) success_rate: f64,
}

/// The command that begins a motion, in both versions.
pub(crate) const MOVE: u32 = 1;

/// The command that clears errors.
pub(crate) fn recovery_command(version: FciVersion) -> u32 {
    match version {
        FciVersion::V10 => V10Command::AutomaticErrorRecovery.to_u32(),
        FciVersion::V5 => v5::Command::AutomaticErrorRecovery.to_u32(),
    }
}

/// What the client asks; `None` where the bytes are too few for it.
pub(crate) fn request(version: FciVersion, number: u32, payload: &[u8]) -> Option<Request> {
    let Some(command) = command_of(version, number) else {
        return Some(of_version_5(version, number, payload));
    };
    Some(match command {
        V10Command::Connect => {
            let request = ConnectRequest::read_from_prefix(payload).ok()?.0;
            Request::Connect {
                version: request.version.get(),
                udp_port: request.udp_port.get(),
            }
        }
        // Both versions begin alike.
        V10Command::Move => {
            let request = v5::MoveRequest::read_from_prefix(payload).ok()?.0;
            Request::Move {
                controller: request.controller_mode.get(),
                generator: request.motion_generator_mode.get(),
            }
        }
        V10Command::StopMove => Request::StopMove,
        V10Command::AutomaticErrorRecovery => Request::Recover,
        V10Command::GetRobotModel => Request::Model,
        V10Command::SetCollisionBehavior => Request::Set(Setting::Collision(numbers(payload))),
        V10Command::SetJointImpedance => {
            let request = SetJointImpedanceRequest::read_from_prefix(payload).ok()?.0;
            Request::Set(Setting::JointStiffness(f64s_to_f64(&request.K_theta)))
        }
        V10Command::SetCartesianImpedance => {
            let request = SetCartesianImpedanceRequest::read_from_prefix(payload)
                .ok()?
                .0;
            Request::Set(Setting::CartesianStiffness(f64s_to_f64(&request.K_x)))
        }
        V10Command::SetGuidingMode => Request::Set(Setting::Guiding),
        V10Command::SetEEToK => {
            let request = SetEEToKRequest::read_from_prefix(payload).ok()?.0;
            Request::Set(Setting::StiffnessFrame(f64s_to_f64(&request.EE_T_K)))
        }
        V10Command::SetNEToEE => {
            let request = SetNEToEERequest::read_from_prefix(payload).ok()?.0;
            Request::Set(Setting::EndEffector(f64s_to_f64(&request.NE_T_EE)))
        }
        V10Command::SetLoad => {
            let request = SetLoadRequest::read_from_prefix(payload).ok()?.0;
            Request::Set(Setting::Load {
                mass: request.m_load.get(),
                centre: f64s_to_f64(&request.F_x_Cload),
                inertia: f64s_to_f64(&request.I_load),
            })
        }
    })
}

/// The command in version 10 that `number` means in `version`.
fn command_of(version: FciVersion, number: u32) -> Option<V10Command> {
    let number = match (version, number) {
        (FciVersion::V10, number) => number,
        (FciVersion::V5, 0..=2) => number,
        (FciVersion::V5, 4..=10) => number - 1,
        (FciVersion::V5, 12) => V10Command::AutomaticErrorRecovery.to_u32(),
        (FciVersion::V5, _) => return None,
    };
    V10Command::from_u32(number)
}

fn of_version_5(version: FciVersion, number: u32, payload: &[u8]) -> Request {
    let filters = v5::Command::SetFilters.to_u32();
    if version == FciVersion::V5 && number == filters {
        return Request::Set(Setting::Filters(numbers(payload)));
    }
    Request::Unknown
}

fn numbers(payload: &[u8]) -> Vec<f64> {
    let chunks = payload.chunks_exact(8);
    chunks
        .filter_map(|bytes| F64::read_from_bytes(bytes).ok())
        .map(F64::get)
        .collect()
}

/// The answer's bytes behind the header.
pub(crate) fn answer(version: FciVersion, answer: &Answer) -> Vec<u8> {
    // Version 5 lacks the statuses of safety functions, which makes later ones smaller.
    let fewer = |status: u8, from: u8, by: u8| match version {
        FciVersion::V5 if status >= from => status - by,
        _ => status,
    };
    match answer {
        Answer::Connected { is_accepted } => {
            let status = if *is_accepted {
                ConnectStatus::Success
            } else {
                ConnectStatus::IncompatibleLibraryVersion
            };
            let number = match version {
                FciVersion::V5 => v5::ROBOT_VERSION,
                FciVersion::V10 => franka::wire::ROBOT_VERSION,
            };
            ConnectResponse::new(status, number).as_bytes().to_vec()
        }
        Answer::Move(status) => vec![fewer(status.to_u8(), 5, 2)],
        Answer::StopMove(status) => vec![fewer(status.to_u8(), 3, 1)],
        Answer::Set(status) => vec![status.to_u8()],
        Answer::Recovery(status) => vec![fewer(status.to_u8(), 3, 1)],
        Answer::Model(urdf) => [&[0], urdf.as_bytes()].concat(),
        Answer::NotPossible => vec![1],
    }
}

/// A command's bytes; `None` where their number is wrong.
pub(crate) fn command(version: FciVersion, bytes: &[u8]) -> Option<Command> {
    let (message_id, motion, torque_nm, torque_is_last) = match version {
        FciVersion::V10 => {
            let command = v10::RobotCommand::read_from_bytes(bytes).ok()?;
            let control = command.control;
            let is_last = control.torque_command_finished != 0;
            (command.message_id, command.motion, control.tau_J_d, is_last)
        }
        FciVersion::V5 => {
            let command = v5::RobotCommand::read_from_bytes(bytes).ok()?;
            let motion =
                v10::MotionGeneratorCommand::read_from_bytes(command.motion.as_bytes()).ok()?;
            (command.message_id, motion, command.control.tau_J_d, false)
        }
    };
    Some(Command {
        answers: message_id.get(),
        q_rad: f64s_to_f64(&{ motion.q_c }),
        dq_rad_s: f64s_to_f64(&{ motion.dq_c }),
        pose: f64s_to_f64(&{ motion.O_T_EE_c }),
        twist: f64s_to_f64(&{ motion.O_dP_EE_c }),
        torque_nm: f64s_to_f64(&torque_nm),
        is_last: motion.motion_generation_finished != 0 || torque_is_last,
    })
}

/// The numbers as they are sent: of single precision in version 10.
trait Sent: Sized + Copy {
    fn sent(value: f64) -> Self;

    fn all<const N: usize>(values: &[f64; N]) -> [Self; N] {
        values.map(Self::sent)
    }
}

impl Sent for F32 {
    fn sent(value: f64) -> Self {
        Self::new(value as f32)
    }
}

impl Sent for F64 {
    fn sent(value: f64) -> Self {
        Self::new(value)
    }
}

macro_rules! fill {
    ($wire:ident, $number:ty, $state:ident) => {{
        let all = |values: &[f64; 7]| <$number>::all(values);
        $wire.message_id.set($state.number);
        $wire.O_T_EE = <$number>::all(&$state.pose);
        $wire.O_T_EE_d = <$number>::all(&$state.pose_d);
        $wire.O_T_EE_c = <$number>::all(&$state.pose_c);
        $wire.F_T_EE = <$number>::all(&$state.flange_to_tool);
        $wire.F_T_NE = <$number>::all(&$state.flange_to_nominal);
        $wire.NE_T_EE = <$number>::all(&$state.nominal_to_tool);
        $wire.EE_T_K = <$number>::all(&$state.tool_to_stiffness);
        $wire.m_load = <$number>::sent($state.load.0);
        $wire.F_x_Cload = <$number>::all(&$state.load.1);
        $wire.I_load = <$number>::all(&$state.load.2);
        $wire.elbow = <$number>::all(&$state.elbow);
        $wire.elbow_d = <$number>::all(&$state.elbow_d);
        $wire.elbow_c = <$number>::all(&$state.elbow_d);
        $wire.tau_J = all(&$state.torque_nm);
        $wire.tau_J_d = all(&$state.torque_nm);
        $wire.q = all(&$state.q_rad);
        $wire.q_d = all(&$state.q_d_rad);
        $wire.theta = all(&$state.q_rad);
        $wire.dq = all(&$state.dq_rad_s);
        $wire.dq_d = all(&$state.dq_d_rad_s);
        $wire.dtheta = all(&$state.dq_rad_s);
        $wire.ddq_d = all(&$state.ddq_d_rad_s2);
        $wire.O_dP_EE_d = <$number>::all(&$state.twist_c);
        $wire.O_dP_EE_c = <$number>::all(&$state.twist_c);
        $wire.O_ddP_EE_c = <$number>::all(&$state.acceleration_c);
        $wire.O_ddP_O = <$number>::all(&[0.0, 0.0, -9.81]);
        $wire.motion_generator_mode = $state.generator_mode;
        $wire.controller_mode = $state.controller_mode;
        $wire.errors = $state.errors;
        $wire.reflex_reason = $state.reflex_reason;
        $wire.robot_mode = $state.robot_mode;
        $wire.control_command_success_rate = <$number>::sent($state.success_rate);
    }};
}

/// The state's bytes, in place of what was in `out`.
pub(crate) fn state(version: FciVersion, state: &State, out: &mut Vec<u8>) {
    out.clear();
    match version {
        FciVersion::V10 => {
            let mut wire = v10::RobotState::default();
            fill!(wire, F32, state);
            out.extend_from_slice(wire.as_bytes());
        }
        FciVersion::V5 => {
            let mut wire = v5::RobotState::default();
            fill!(wire, F64, state);
            out.extend_from_slice(wire.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use franka::wire::robot::v10::{
        Deviation, MoveControllerMode, MoveMotionGeneratorMode, MoveRequest,
    };

    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn requests_of_both_versions_are_read() {
        let deviation = Deviation::new(10.0, 3.0, 6.0);
        let start = MoveRequest::new(
            MoveControllerMode::JointImpedance,
            MoveMotionGeneratorMode::JointVelocity,
            deviation,
            deviation,
        );
        let expected = Some(Request::Move {
            controller: 0,
            generator: 1,
        });
        assert_eq!(request(FciVersion::V10, 1, start.as_bytes()), expected);
        assert_eq!(
            request(FciVersion::V5, 1, &start.as_bytes()[..56]),
            expected
        );
        assert_eq!(request(FciVersion::V10, 10, &[]), Some(Request::Recover));
        assert_eq!(request(FciVersion::V5, 12, &[]), Some(Request::Recover));
        let stiffness = SetJointImpedanceRequest::new(&[3000.0; 7]);
        let expected = Some(Request::Set(Setting::JointStiffness([3000.0; 7])));
        assert_eq!(request(FciVersion::V10, 4, stiffness.as_bytes()), expected);
        assert_eq!(request(FciVersion::V5, 5, stiffness.as_bytes()), expected);
    }

    #[test]
    fn too_few_bytes_are_no_request() {
        for number in [0, 1, 4, 5, 7, 8, 9] {
            assert_eq!(request(FciVersion::V10, number, &[1]), None, "{number}");
        }
        assert_eq!(request(FciVersion::V10, 77, &[]), Some(Request::Unknown));
    }

    #[test]
    fn statuses_have_the_numbers_of_their_version() {
        let reflex = Answer::Move(MoveStatus::ReflexAborted);
        assert_eq!(answer(FciVersion::V10, &reflex), [8]);
        assert_eq!(
            answer(FciVersion::V5, &reflex),
            [v5::MoveStatus::ReflexAborted.to_u8()]
        );
        let started = Answer::Move(MoveStatus::MotionStarted);
        assert_eq!(answer(FciVersion::V5, &started), [1]);
        let manual = AutomaticErrorRecoveryStatus::ManualErrorRecoveryRequiredRejected;
        assert_eq!(answer(FciVersion::V10, &Answer::Recovery(manual)), [3]);
        assert_eq!(
            answer(FciVersion::V5, &Answer::Recovery(manual)),
            [v5::AutomaticErrorRecoveryStatus::ManualErrorRecoveryRequiredRejected.to_u8()]
        );
    }

    #[test]
    fn a_command_survives_the_wire_in_both_versions() {
        let mut sent = v10::RobotCommand::new_zeroed();
        sent.message_id.set(9);
        sent.motion.q_c = franka::wire::f64s_to_wire(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
        sent.motion.motion_generation_finished = 1;
        let bytes = sent.as_bytes();
        let read = command(FciVersion::V10, bytes).unwrap();
        assert_eq!((read.answers, read.q_rad[6], read.is_last), (9, 0.7, true));
        // Version 5 lacks the last byte.
        let older = command(FciVersion::V5, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(older, read);
        assert_eq!(command(FciVersion::V10, &bytes[1..]), None);
    }
}
