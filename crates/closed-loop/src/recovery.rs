//! When an arm that stopped by itself is made ready again without being asked.

use tiller_core::SECOND_NS;

/// A calm of so long, ns, after which reflexes do not count as in a row any more.
const CALM_NS: u64 = 30 * SECOND_NS;

/// Recovery from reflexes by itself; from nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecoveryConfig {
    /// How long after the reflex, ns: people see it, and the arm comes to rest.
    pub delay_ns: u64,
    /// How many times in a row; then somebody must look.
    pub most: u32,
}

/// Counts and times recoveries.
#[derive(Debug, Clone)]
pub(crate) struct Recovery {
    config: Option<RecoveryConfig>,
    tries: u32,
    /// When the last reflex came, or the last try was over, ns.
    last_ns: Option<u64>,
    due_ns: Option<u64>,
}

impl Recovery {
    /// None without settings.
    pub(crate) fn new(config: Option<RecoveryConfig>) -> Self {
        Self {
            config,
            tries: 0,
            last_ns: None,
            due_ns: None,
        }
    }

    /// A reflex came, or a try has failed. False where it is to be left to people, which is said why.
    pub(crate) fn plan(&mut self, now_ns: u64) -> Result<(), Option<String>> {
        let config = self.config.ok_or(None)?;
        let calm_ns = self.last_ns.map_or(0, |last| now_ns.saturating_sub(last));
        if calm_ns >= CALM_NS {
            self.tries = 0;
        }
        self.last_ns = Some(now_ns);
        if self.tries >= config.most {
            self.due_ns = None;
            return Err(Some(format!(
                "the arm has stopped by itself again after {} recoveries in a row, the most that are set",
                self.tries
            )));
        }
        self.due_ns = Some(now_ns.saturating_add(config.delay_ns));
        Ok(())
    }

    /// Whether a recovery is due; it then counts.
    pub(crate) fn is_due(&mut self, now_ns: u64) -> bool {
        if self.due_ns.is_none_or(|due| now_ns < due) {
            return false;
        }
        self.due_ns = None;
        self.tries += 1;
        true
    }

    /// People have taken it in hand: they begin anew.
    pub(crate) fn leave(&mut self) {
        *self = Self::new(self.config);
    }

    /// Something came that only people can clear.
    pub(crate) fn cancel(&mut self) {
        self.due_ns = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovery() -> Recovery {
        Recovery::new(Some(RecoveryConfig {
            delay_ns: SECOND_NS,
            most: 2,
        }))
    }

    #[test]
    fn it_comes_once_after_the_delay() {
        let mut recovery = recovery();
        assert!(!recovery.is_due(u64::MAX));
        recovery.plan(5 * SECOND_NS).unwrap();
        assert!(!recovery.is_due(6 * SECOND_NS - 1));
        assert!(recovery.is_due(6 * SECOND_NS));
        assert!(!recovery.is_due(7 * SECOND_NS));
    }

    #[test]
    fn so_many_in_a_row_and_after_a_calm_anew() {
        let mut recovery = recovery();
        for reflex in 0..2 {
            recovery.plan(reflex * 10 * SECOND_NS).unwrap();
            assert!(recovery.is_due((reflex * 10 + 2) * SECOND_NS));
        }
        let why = recovery.plan(20 * SECOND_NS).unwrap_err().unwrap();
        assert!(why.contains("2 recoveries in a row"), "{why}");
        assert!(!recovery.is_due(u64::MAX));
        recovery.plan(50 * SECOND_NS).unwrap();
        assert!(recovery.is_due(51 * SECOND_NS));
    }

    #[test]
    fn people_begin_anew_and_without_settings_it_is_theirs() {
        let mut ours = recovery();
        for _ in 0..2 {
            ours.plan(0).unwrap();
            ours.is_due(SECOND_NS);
        }
        ours.leave();
        assert!(ours.plan(SECOND_NS).is_ok());
        ours.cancel();
        assert!(!ours.is_due(u64::MAX));
        assert_eq!(Recovery::new(None).plan(0), Err(None));
    }
}
