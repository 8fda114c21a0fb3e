//! Faults in words, for settings: what goes wrong, and when.

use std::str::FromStr;

use thiserror::Error;

use crate::faults::Fault;
use crate::flags::ErrorFlag;

/// Longest silence that can be planned, ms.
const LONGEST_MS: u32 = 60_000;

/// A fault and its moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedFault {
    /// What goes wrong.
    pub fault: Fault,
    /// Milliseconds into the first motion that gets so far; none for at once.
    pub commanded_ms: Option<u64>,
}

/// A text that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected `{expected}`, found `{found}`")]
pub struct PlanError {
    /// The forms that there are.
    pub expected: &'static str,
    /// The text.
    pub found: String,
}

/// The forms of a planned fault.
const FORMS: &str = "loss=SHARE, stall=MS, reflex, reflex=NAME, user-stop, release, stuck, drop, each with \
                     or without @MS";

impl PlannedFault {
    /// Several, with commas between them: `loss=0.05, reflex@3000`.
    ///
    /// # Errors
    /// The first one that is none.
    pub fn list(text: &str) -> Result<Vec<Self>, PlanError> {
        let parts = text.split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(str::parse)
            .collect()
    }
}

impl FromStr for PlannedFault {
    type Err = PlanError;

    /// `WHAT`, `WHAT=HOW`, either with `@MS`.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        let wrong = || PlanError {
            expected: FORMS,
            found: text.to_owned(),
        };
        let (what, at) = match text.split_once('@') {
            Some((what, at)) => (what, Some(at.trim().parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let (what, how) = match what.split_once('=') {
            Some((what, how)) => (what.trim(), Some(how.trim())),
            None => (what.trim(), None),
        };
        let fault = match (what, how) {
            ("loss", Some(share)) => share
                .parse()
                .ok()
                .filter(is_share)
                .map(|share| Fault::Loss {
                    states: share,
                    commands: share,
                }),
            ("stall", Some(ms)) => ms
                .parse()
                .ok()
                .filter(|ms| (1..=LONGEST_MS).contains(ms))
                .map(|ms| Fault::Stall { ms }),
            ("reflex", None) => Some(Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX)),
            ("reflex", Some(name)) => ErrorFlag::named(name).map(Fault::Reflex),
            ("user-stop", None) => Some(Fault::UserStop(true)),
            ("release", None) => Some(Fault::UserStop(false)),
            ("stuck", None) => Some(Fault::Stuck(true)),
            ("drop", None) => Some(Fault::Drop),
            _ => None,
        };
        Ok(Self {
            fault: fault.ok_or_else(wrong)?,
            commanded_ms: at,
        })
    }
}

fn is_share(share: &f64) -> bool {
    (0.0..=1.0).contains(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_word() {
        let text = "loss=0.05, stall=20@400,reflex@3000, reflex=communication_constraints_violation, \
                    user-stop@5, release@6, stuck, drop@7";
        let plan = PlannedFault::list(text).unwrap();
        let loss = Fault::Loss {
            states: 0.05,
            commands: 0.05,
        };
        let expected = [
            (loss, None),
            (Fault::Stall { ms: 20 }, Some(400)),
            (Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX), Some(3000)),
            (Fault::Reflex(ErrorFlag::COMMUNICATION), None),
            (Fault::UserStop(true), Some(5)),
            (Fault::UserStop(false), Some(6)),
            (Fault::Stuck(true), None),
            (Fault::Drop, Some(7)),
        ];
        let found: Vec<_> = plan
            .iter()
            .map(|one| (one.fault, one.commanded_ms))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(PlannedFault::list(" "), Ok(Vec::new()));
    }

    #[test]
    fn what_is_none_is_named() {
        for text in [
            "loss",
            "loss=2",
            "loss=nan",
            "stall=0",
            "stall=-1",
            "reflex=bite",
            "reflex@soon",
            "drop=1",
            "earthquake@5",
        ] {
            let error = PlannedFault::list(text).unwrap_err();
            assert_eq!(error.found, text);
            assert!(error.to_string().contains("stall=MS"), "{error}");
        }
    }
}
