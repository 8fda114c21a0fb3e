//! What a machine wants people to know.

use std::fmt;

use serde::{Deserialize, Serialize};
use tiller_messages::Level;

/// A remark for people and for the summary of a run; nodes send it as a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How grave it is.
    pub level: Level,
    /// A word that machines may test for, such as `waiting`.
    pub code: String,
    /// The whole message.
    pub text: String,
}

impl Notice {
    /// It goes on, but not as wished.
    pub fn warning(code: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, text)
    }

    /// All is well.
    pub fn info(code: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Info, code, text)
    }

    /// Something is lost until somebody mends it.
    pub fn error(code: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Error, code, text)
    }

    fn new(level: Level, code: &str, text: impl Into<String>) -> Self {
        Self {
            level,
            code: code.to_owned(),
            text: text.into(),
        }
    }
}

/// Says what is being waited for: once when it has lasted, and once when it is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    since: Option<(u64, &'static str)>,
    told: bool,
}

/// How long something may be missing before it is named, ns.
const PATIENCE_NS: u64 = 800_000_000;

impl Waiting {
    /// Takes what is missing now, if anything: a key that stays the same while the cause does, and
    /// the words for it.
    pub(crate) fn update<T: fmt::Display>(
        &mut self,
        missing: Option<(&'static str, T)>,
        now_ns: u64,
    ) -> Option<Notice> {
        let Some((key, text)) = missing else {
            let over = self.over();
            *self = Self::default();
            return over;
        };
        match self.since {
            Some((since, known)) if known == key => {
                if self.told || now_ns.saturating_sub(since) < PATIENCE_NS {
                    return None;
                }
                self.told = true;
                Some(Notice::warning(
                    "waiting",
                    format!("waiting for {key}: {text}"),
                ))
            }
            _ => {
                let over = self.over();
                self.since = Some((now_ns, key));
                self.told = false;
                over
            }
        }
    }

    /// That what was told to be missing is there.
    fn over(&self) -> Option<Notice> {
        let (_, key) = self.since.filter(|_| self.told)?;
        Some(Notice::info("waiting_over", format!("{key}: it goes on")))
    }

    /// When to look again, ns.
    pub(crate) fn wake_at(&self) -> Option<u64> {
        let (since, _) = self.since.filter(|_| !self.told)?;
        Some(since + PATIENCE_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;
    const NOTHING: Option<(&str, String)> = None;

    #[test]
    fn what_lasts_is_named_once_and_its_end_too() {
        let mut waiting = Waiting::default();
        let missing = || Some(("keypoints", "none have come".to_owned()));
        assert_eq!(waiting.update(missing(), 0), None);
        assert!(waiting.wake_at().is_some_and(|at| at < SECOND_NS));
        let told = waiting.update(missing(), SECOND_NS).unwrap();
        assert_eq!(
            (told.code.as_str(), told.level),
            ("waiting", Level::Warning)
        );
        assert!(told.text.contains("keypoints"), "{}", told.text);
        assert_eq!(waiting.update(missing(), 9 * SECOND_NS), None);
        let over = waiting.update(NOTHING, 10 * SECOND_NS).unwrap();
        assert_eq!(over.code, "waiting_over");
        assert_eq!(waiting.update(NOTHING, 11 * SECOND_NS), None);
    }

    #[test]
    fn what_was_told_is_over_where_something_else_is_missing() {
        let mut waiting = Waiting::default();
        waiting.update(Some(("keypoints", String::new())), 0);
        let told = waiting.update(Some(("keypoints", String::new())), SECOND_NS);
        assert_eq!(told.unwrap().code, "waiting");
        let over = waiting.update(Some(("program", String::new())), SECOND_NS + 1);
        assert_eq!(over.unwrap().text, "keypoints: it goes on");
        assert_eq!(waiting.update(NOTHING, SECOND_NS + 2), None);
    }

    #[test]
    fn another_cause_has_a_time_of_its_own() {
        let mut waiting = Waiting::default();
        waiting.update(Some(("program", String::new())), 0);
        waiting.update(Some(("stage", String::new())), SECOND_NS);
        assert_eq!(
            waiting.update(Some(("stage", String::new())), SECOND_NS + 1),
            None
        );
        assert_eq!(waiting.update(NOTHING, 2 * SECOND_NS), None);
    }
}
