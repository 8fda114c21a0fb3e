//! The arms that `ARM` chooses from. A further one is a module here and a line in [`ARMS`].

mod dry_run;
mod fci;

use std::fmt;

use eyre::Result;
use tiller_motion::Arm;
use tiller_motion::limits::Limits;
use tiller_node_kit::Environment;

/// Reads the settings of one kind of arm.
pub(crate) type Kind = fn(&mut Environment) -> Opening;

/// Every kind of arm by its name.
pub(crate) const ARMS: &[(&str, Kind)] = &[
    ("simulation", |_| Opening::new(|| Ok(Body::Simulated))),
    ("dry-run", dry_run::kind),
    ("fci", fci::kind),
];

/// How an arm is moved.
pub(crate) enum Body {
    /// In lockstep with a simulator: every `sim_arm_state` is answered by an `arm_command`.
    Simulated,
    /// By a driver, which is read and commanded once a millisecond, within these limits.
    Driven(Driver, Box<Limits>),
}

/// A driver of any kind.
pub(crate) type Driver = Box<dyn Arm<Error = DriverError> + Send>;

/// What went wrong in a driver.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DriverError(Box<dyn std::error::Error + Send + Sync>);

impl DriverError {
    pub(crate) fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// An arm whose settings are read and which waits to be opened.
pub(crate) struct Opening(Box<dyn FnOnce() -> Result<Body>>);

impl Opening {
    pub(crate) fn new(open: impl FnOnce() -> Result<Body> + 'static) -> Self {
        Self(Box::new(open))
    }

    pub(crate) fn open(self) -> Result<Body> {
        (self.0)()
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an arm to be opened")
    }
}
