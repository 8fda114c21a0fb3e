//! The arms that `ARM` chooses from. A further one is a module here and a line in [`ARMS`].

mod derating;
mod dry_run;
mod errors;
mod fci;
mod osc;
mod shadow;

pub use errors::OfNode;

use std::fmt;

use eyre::Result;
use tiller_motion::Arm;
use tiller_motion::limits::Limits;
use tiller_node_kit::Environment;

use crate::realtime::RealTime;
use shadow::Shadow;

/// Reads the settings of one kind of arm.
pub(crate) type Kind = fn(&mut Environment) -> Opening;

/// Every kind of arm by its name.
pub(crate) const ARMS: &[(&str, Kind)] = &[
    ("simulation", |_| Opening::new(|| Ok(Body::Simulated))),
    ("dry-run", dry_run::kind),
    ("fci", fci::kind),
    ("osc", osc::kind),
];

/// How an arm is moved.
pub(crate) enum Body {
    /// In lockstep with a simulator: every `sim_arm_state` is answered by an `arm_command`.
    Simulated,
    /// By a driver, which is read and commanded once a millisecond.
    Driven(Box<DrivenBody>),
}

/// An arm with a driver.
pub(crate) struct DrivenBody {
    pub(crate) driver: Driver,
    /// What it is held to.
    pub(crate) limits: Limits,
    /// What its thread asks of the machine.
    pub(crate) real_time: RealTime,
}

/// An arm of metal that is moved, or only read while a shadow of it moves.
fn metal<A>(arm: A, is_moved: bool, limits: Limits, real_time: RealTime) -> Body
where
    A: Arm<Error: Send + Sync> + Send + 'static,
{
    let driver: Driver = if is_moved {
        Box::new(OfNode(arm))
    } else {
        tracing::warn!("MOTION=dry: the arm is only read, and a shadow of it moves");
        Box::new(Shadow::new(OfNode(arm)))
    };
    Body::Driven(Box::new(DrivenBody {
        driver,
        limits,
        real_time,
    }))
}

/// A driver of any kind.
pub type Driver = Box<dyn Arm<Error = DriverError> + Send>;

/// What went wrong in a driver.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DriverError(Box<dyn std::error::Error + Send + Sync>);

impl DriverError {
    /// Wraps an error of a driver.
    pub fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// Opens an arm; true where somebody will arm it before it moves.
type Open = Box<dyn FnOnce(bool) -> Result<Body>>;

/// An arm whose settings are read and which waits to be opened.
pub(crate) struct Opening {
    open: Open,
    /// Whether it is of metal: such an arm is watched unless that is set otherwise.
    pub(crate) is_real: bool,
    /// Whether it can hurt: such an arm is armed by hand unless that is set otherwise.
    pub(crate) is_moved: bool,
}

impl Opening {
    /// An arm of numbers.
    pub(crate) fn new(open: impl FnOnce() -> Result<Body> + 'static) -> Self {
        Self {
            open: Box::new(|_| open()),
            is_real: false,
            is_moved: false,
        }
    }

    /// An arm of metal, which may be moved or only read.
    pub(crate) fn real(is_moved: bool, open: impl FnOnce(bool) -> Result<Body> + 'static) -> Self {
        Self {
            open: Box::new(open),
            is_real: true,
            is_moved,
        }
    }

    pub(crate) fn open(self, requires_arming: bool) -> Result<Body> {
        (self.open)(requires_arming)
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an arm to be opened")
    }
}
