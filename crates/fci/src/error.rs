//! What goes wrong with a Franka arm, by kind.

use franka::{FrankaError, MoveStatus, RobotMode};
use thiserror::Error;
use tiller_motion::{ArmFault, StartGap};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FciError {
    /// Nobody answers there.
    #[error("no robot answers at {address}: {text}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the network said.
        text: String,
    },
    /// The robot speaks another version of the interface.
    #[error("expected a robot that speaks version 10 (FR3) or 5 (Panda), found version {found}")]
    WrongVersion {
        /// Which.
        found: u16,
    },
    /// The robot is in a mode in which it does not move.
    #[error("expected a robot that is ready to move, found it in mode {mode:?}")]
    NotReady {
        /// Which.
        mode: RobotMode,
    },
    /// The robot does not do what it was asked.
    #[error("the robot refused: {0}")]
    Refused(String),
    /// The robot stopped by itself.
    #[error(
        "the robot stopped by itself: {}; of the last commands {:.0} % came in time",
        .reasons.join(", "),
        100.0 * .received
    )]
    Reflex {
        /// Why, by libfranka's names.
        reasons: Vec<&'static str>,
        /// Share of the last hundred commands that it received in time.
        received: f64,
    },
    /// The user stop is pressed.
    #[error("the user stop is pressed")]
    UserStop,
    /// Somebody else ended the motion.
    #[error("the motion was ended by somebody else: {0}")]
    Ended(String),
    /// The robot is gone.
    #[error("the connection to the robot is lost: {0}")]
    ConnectionLost(String),
    /// The first setpoint is elsewhere than the arm.
    #[error(transparent)]
    StartGap(#[from] StartGap),
    /// The hand does not answer any more.
    #[error("the connection to the hand is lost: {0}")]
    HandLost(String),
    /// Client and robot do not understand each other.
    #[error("unexpected word from the robot: {0}")]
    Protocol(String),
}

impl FciError {
    /// Whether the robot must be connected to anew.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self, Self::ConnectionLost(_) | Self::HandLost(_))
    }

    /// What of it matters to whoever moves the arm.
    #[must_use]
    pub fn fault(&self) -> ArmFault {
        match self {
            Self::Reflex { .. } => ArmFault::Reflex,
            Self::NotReady { mode } if *mode == RobotMode::Reflex => ArmFault::Reflex,
            Self::UserStop => ArmFault::UserStop,
            Self::ConnectionLost(_) | Self::HandLost(_) | Self::Unreachable { .. } => {
                ArmFault::Connection
            }
            _ => ArmFault::NotReady,
        }
    }

    /// What went wrong while talking to a robot; `received` is its share of commands.
    pub(crate) fn of(error: FrankaError, received: f64) -> Self {
        match error {
            FrankaError::Network(text) => Self::ConnectionLost(text),
            FrankaError::IncompatibleVersion { server_version, .. } => Self::WrongVersion {
                found: server_version,
            },
            FrankaError::Command(text) | FrankaError::InvalidArgument(text) => Self::Refused(text),
            FrankaError::Control(exception) => match exception.move_status {
                Some(MoveStatus::ReflexAborted) => Self::Reflex {
                    reasons: exception.last_motion_errors.names(),
                    received,
                },
                Some(MoveStatus::EmergencyAborted) => Self::UserStop,
                _ => Self::Ended(exception.message),
            },
            error => Self::Protocol(error.to_string()),
        }
    }

    /// What went wrong while connecting.
    pub(crate) fn on_connecting(error: FrankaError, address: &str) -> Self {
        match error {
            FrankaError::Network(text) => Self::Unreachable {
                address: address.to_owned(),
                text,
            },
            error => Self::of(error, 0.0),
        }
    }
}
