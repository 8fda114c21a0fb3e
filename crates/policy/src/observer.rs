//! Showing a policy moments by their stamps.

use crate::{Observation, Policy, PolicyError};

/// Remembers which moment a policy was shown last: one that it has seen already is not taken into
/// its history twice.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    shown_ns: Option<u64>,
}

impl Observer {
    /// Takes the moment of `stamp_ns` into the policy's history.
    ///
    /// # Errors
    /// As [`Policy::observe`].
    pub fn observe(
        &mut self,
        policy: &mut Policy,
        stamp_ns: u64,
        observation: &Observation<'_>,
    ) -> Result<(), PolicyError> {
        if self.shown_ns != Some(stamp_ns) {
            self.shown_ns = None;
            policy.observe(observation)?;
            self.shown_ns = Some(stamp_ns);
        }
        Ok(())
    }

    /// Encodes the moment of `stamp_ns` and what came before it.
    ///
    /// # Errors
    /// As [`Policy::encode`].
    pub fn encode(
        &mut self,
        policy: &mut Policy,
        stamp_ns: u64,
        observation: &Observation<'_>,
    ) -> Result<(), PolicyError> {
        if self.shown_ns == Some(stamp_ns) {
            policy.encode_history()?;
        } else {
            self.shown_ns = None;
            policy.encode(observation)?;
            self.shown_ns = Some(stamp_ns);
        }
        Ok(())
    }

    /// Forgets everything, and has the policy do so: another episode begins.
    pub fn forget(&mut self, policy: &mut Policy) {
        self.shown_ns = None;
        policy.reset();
    }
}
