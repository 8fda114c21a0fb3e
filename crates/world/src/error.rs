//! What can go wrong with a world.

use thiserror::Error;

/// A world was asked for what it does not have, or broke.
#[derive(Debug, Error)]
pub enum WorldError {
    /// A name that the world does not know.
    #[error("{world}: expected {expected}, found {kind} `{found}`")]
    Unknown {
        /// Name of the world.
        world: &'static str,
        /// What the name is to name: `task`, `camera`, `axis` or `world`.
        kind: &'static str,
        /// What there is.
        expected: String,
        /// The name.
        found: String,
    },
    /// A world that needs something which is not there.
    #[error("{world} is not there: {reason}")]
    Absent {
        /// Name of the world.
        world: &'static str,
        /// What is missing, and how to get it.
        reason: String,
    },
    /// Something that the world cannot do.
    #[error("{world} has no {what}")]
    Unsupported {
        /// Name of the world.
        world: &'static str,
        /// What it has not.
        what: String,
    },
    /// The simulator, or what it needs, failed.
    #[error("{world}: {what}")]
    Failed {
        /// Name of the world.
        world: &'static str,
        /// What did not work.
        what: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl WorldError {
    /// For `map_err`: what of which world did not work.
    pub fn failed<E>(world: &'static str, what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Failed {
            world,
            what,
            source: source.into(),
        }
    }
}
