//! What goes wrong with a controller that takes steps, by kind.

use thiserror::Error;
use tiller_motion::{ArmFault, StartGap};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OscError {
    /// Nobody answers there.
    #[error("no controller answers at {address}: {text}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the network said.
        text: String,
    },
    /// The controller speaks another version of the protocol.
    #[error("expected a controller that speaks version {expected}, found version {found}")]
    WrongVersion {
        /// Ours.
        expected: u32,
        /// Which.
        found: u32,
    },
    /// The controller said something that means nothing.
    #[error("expected {expected} from the controller, found {found}")]
    Malformed {
        /// What there should have been.
        expected: String,
        /// What there was.
        found: String,
    },
    /// The next state takes long; it may still come.
    #[error("expected a state every {period_ms} ms, found none for {waited_ms} ms")]
    Late {
        /// How often they come.
        period_ms: u32,
        /// For how long there was none.
        waited_ms: u64,
    },
    /// The controller has said nothing for too long.
    #[error("the controller has been silent for {silent_ms} ms")]
    Silent {
        /// For how long.
        silent_ms: u64,
    },
    /// The connection is gone.
    #[error("the connection to the controller is lost: {0}")]
    ConnectionLost(String),
    /// The arm has stopped by itself.
    #[error("the controller says that the arm has stopped by itself")]
    Reflex,
    /// Somebody pressed its stop.
    #[error("the controller says that the arm's stop is pressed")]
    UserStop,
    /// The arm does not move for another reason.
    #[error("the controller says that the arm is not ready to move")]
    NotReady,
    /// The first set-point is elsewhere than the arm.
    #[error(transparent)]
    StartGap(#[from] StartGap),
}

impl OscError {
    /// Whether the controller must be connected to anew.
    pub(crate) fn is_of_connection(&self) -> bool {
        self.fault() == Some(ArmFault::Connection)
    }

    /// What of it matters to whoever moves the arm; nothing where it passes by itself.
    #[must_use]
    pub fn fault(&self) -> Option<ArmFault> {
        match self {
            Self::Late { .. } => None,
            Self::Reflex => Some(ArmFault::Reflex),
            Self::UserStop => Some(ArmFault::UserStop),
            Self::NotReady | Self::StartGap(_) => Some(ArmFault::NotReady),
            Self::Unreachable { .. }
            | Self::WrongVersion { .. }
            | Self::Malformed { .. }
            | Self::Silent { .. }
            | Self::ConnectionLost(_) => Some(ArmFault::Connection),
        }
    }
}
