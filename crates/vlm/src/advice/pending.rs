//! Which advice is asked for and which is taken, without network or clock.

use serde::Serialize;
use tiller_core::MAX_DESCRIPTION;

use super::AnswerError;
use super::answer::{object_with, whole_number};
use crate::provider::visible_line;

const FORM: &str = "{\"stage\": N, \"reason\": \"...\"}";

/// When a question belongs to: advice on any other moment is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Number of the program.
    pub program: u64,
    /// Visit of a stage.
    pub visit: u32,
}

/// Advice that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What it belongs to.
    pub moment: Moment,
    /// The stage to be in, counted from 1; the program has it.
    pub stage: u32,
    /// Why, for people.
    pub reason: String,
}

/// What has become of questions and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AdviceCounts {
    /// Questions that were asked.
    pub asked: u64,
    /// Questions that were not, because one was under way.
    pub busy: u64,
    /// Answers that were taken.
    pub taken: u64,
    /// Answers that were dropped because the robot had moved on.
    pub late: u64,
    /// Answers of another form.
    pub malformed: u64,
    /// Answers that name a stage that does not exist.
    pub impossible: u64,
    /// Questions that ended in an error.
    pub failed: u64,
}

impl AdviceCounts {
    /// Whether a question is under way.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.asked > self.taken + self.late + self.malformed + self.impossible + self.failed
    }
}

/// What becomes of a question that is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is asked.
    Yes,
    /// It is asked, and the question under way, which was about another moment, is given up.
    InsteadOfOld,
    /// One about the same moment is under way.
    Busy,
}

/// One question at a time, and what may become of its answer.
#[derive(Debug, Default)]
pub(super) struct PendingQuestion {
    open: Option<(Moment, u32)>,
    pub(super) counts: AdviceCounts,
}

impl PendingQuestion {
    /// Opens a question about a moment; the program has `num_stages` stages.
    pub(super) fn open(&mut self, moment: Moment, num_stages: u32) -> Asked {
        let asked = match self.open {
            Some((open, _)) if open == moment => {
                self.counts.busy += 1;
                return Asked::Busy;
            }
            Some(_) => {
                self.counts.late += 1;
                Asked::InsteadOfOld
            }
            None => Asked::Yes,
        };
        self.open = Some((moment, num_stages));
        self.counts.asked += 1;
        asked
    }

    /// Closes the question with its answer, or with `None` if it ended in an error.
    pub(super) fn close(&mut self, text: Option<&str>, now: Moment) -> Option<Advice> {
        let (moment, num_stages) = self.open.take()?;
        let Some(text) = text else {
            self.counts.failed += 1;
            return None;
        };
        if moment != now {
            self.counts.late += 1;
            tracing::debug!(
                "advice came late: it is about visit {}, now is {}",
                moment.visit,
                now.visit
            );
            return None;
        }
        match parse(text, num_stages) {
            Ok((stage, reason)) => {
                self.counts.taken += 1;
                Some(Advice {
                    moment,
                    stage,
                    reason,
                })
            }
            Err(error) => {
                match error {
                    AnswerError::Malformed { .. } => self.counts.malformed += 1,
                    AnswerError::Impossible { .. } => self.counts.impossible += 1,
                }
                tracing::debug!("advice is dropped: {error}");
                None
            }
        }
    }
}

/// Stage and reason of an answer.
fn parse(text: &str, num_stages: u32) -> Result<(u32, String), AnswerError> {
    let object = object_with(text, "stage", FORM)?;
    let Some(stage) = whole_number(&object["stage"]) else {
        let found = visible_line(&object["stage"].to_string(), 40);
        return Err(AnswerError::Malformed {
            expected: FORM,
            found: format!("stage {found}"),
        });
    };
    let real = u32::try_from(stage)
        .ok()
        .filter(|stage| (1..=num_stages).contains(stage));
    let Some(real) = real else {
        return Err(AnswerError::Impossible {
            found: format!("stage {stage}"),
            range: format!("1 to {num_stages}"),
        });
    };
    let reason = object
        .get("reason")
        .and_then(|reason| reason.as_str())
        .unwrap_or_default();
    Ok((real, visible_line(reason, MAX_DESCRIPTION)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment {
        program: 2,
        visit: 5,
    };

    fn closed(text: Option<&str>, now: Moment) -> (Option<u32>, AdviceCounts) {
        let mut pending = PendingQuestion::default();
        assert_eq!(pending.open(NOW, 3), Asked::Yes);
        assert!(pending.counts.is_waiting());
        let advice = pending.close(text, now);
        assert!(!pending.counts.is_waiting());
        assert!(advice.as_ref().is_none_or(|advice| advice.moment == NOW));
        (advice.map(|advice| advice.stage), pending.counts)
    }

    #[test]
    fn good_answers_become_a_stage_number() {
        for (text, stage) in [
            (r#"{"stage": 2, "reason": "the block fell"}"#, 2),
            ("```json\n{\"stage\": 3}\n```", 3),
            (
                r#"I think {so}: {"stage": "1"} as I said {"stage": "1", "reason": 7}"#,
                1,
            ),
        ] {
            let (found, counts) = closed(Some(text), NOW);
            assert_eq!((found, counts.taken), (Some(stage), 1), "{text}");
        }
    }

    #[test]
    fn everything_else_is_dropped_and_counted() {
        let long = format!("{}{{\"stage\": 1}}", " ".repeat(20_000));
        for text in [
            "",
            "2",
            "stage 2",
            r#"{"stage": 2.5}"#,
            r#"{"stage": -1}"#,
            r#"{"stage": [2]}"#,
            r#"{"stage": "2; rm -rf /"}"#,
            r#"{"Stage": 2}"#,
            r#"{"stage": 1} or rather {"stage": 2}"#,
            "{{{{{{",
            &long,
        ] {
            let (found, counts) = closed(Some(text), NOW);
            assert_eq!((found, counts.malformed), (None, 1), "{text:.50}");
        }
        for text in [
            r#"{"stage": 0}"#,
            r#"{"stage": 4}"#,
            r#"{"stage": 18446744073709551615}"#,
        ] {
            let (found, counts) = closed(Some(text), NOW);
            assert_eq!((found, counts.impossible), (None, 1), "{text}");
        }
        let good = Some(r#"{"stage": 2}"#);
        for now in [Moment { visit: 6, ..NOW }, Moment { program: 3, ..NOW }] {
            assert_eq!(closed(good, now).0, None);
            assert_eq!(closed(good, now).1.late, 1);
        }
        assert_eq!(closed(None, NOW).1.failed, 1);
    }

    #[test]
    fn one_question_at_a_time_and_the_newest_moment_wins() {
        let mut pending = PendingQuestion::default();
        assert_eq!(pending.open(NOW, 3), Asked::Yes);
        assert_eq!(pending.open(NOW, 3), Asked::Busy);
        let next = Moment { visit: 6, ..NOW };
        assert_eq!(pending.open(next, 3), Asked::InsteadOfOld);
        assert_eq!(
            pending
                .close(Some(r#"{"stage": 2}"#), next)
                .map(|advice| advice.moment),
            Some(next)
        );
        assert_eq!(
            pending.close(Some(r#"{"stage": 2}"#), next),
            None,
            "nothing is open"
        );
        let expected = AdviceCounts {
            asked: 2,
            busy: 1,
            taken: 1,
            late: 1,
            ..Default::default()
        };
        assert_eq!(pending.counts, expected);
    }

    #[test]
    fn a_reason_is_one_short_line() {
        let text = format!(
            r#"{{"stage": 1, "reason": "a\nb\u001b[31m{}"}}"#,
            "x".repeat(500)
        );
        let (_, reason) = parse(&text, 1).unwrap();
        assert!(
            reason.starts_with(r"a b\u{1b}[31mx") && reason.chars().count() == MAX_DESCRIPTION + 1,
            "{reason}"
        );
    }
}
