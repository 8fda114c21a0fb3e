//! What a program waits for before it can be begun, and who was waited for once it is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tiller_vlm::repair::{Authored, AuthoringStatus};

/// Time after which something missing is named. Together with the time between two looks it stays
/// within a second.
const PATIENCE: Duration = Duration::from_millis(700);

/// Since when things are missing, and whether that was said.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    since: BTreeMap<&'static str, (Instant, bool)>,
}

impl Waiting {
    /// Takes what is missing at `now`; gives all that has been missing for too long, when one of
    /// them was not named before.
    pub(crate) fn update(
        &mut self,
        missing: &[&'static str],
        now: Instant,
    ) -> Option<Vec<&'static str>> {
        self.since.retain(|name, _| missing.contains(name));
        for name in missing {
            self.since.entry(name).or_insert((now, false));
        }
        let mut is_news = false;
        let mut overdue = Vec::new();
        for (name, (since, told)) in &mut self.since {
            if now.duration_since(*since) >= PATIENCE {
                is_news |= !std::mem::replace(told, true);
                overdue.push(*name);
            }
        }
        is_news.then_some(overdue)
    }
}

/// Who was waited for, how long, and what came of it.
pub(crate) fn waited(author: &str, authored: &Authored, duration: Duration) -> String {
    let is_written = matches!(
        authored.status,
        AuthoringStatus::Ok | AuthoringStatus::Repaired
    );
    let after = match authored.cause.filter(|_| !is_written) {
        Some(cause) => format!(" after {}", cause.name()),
        None => String::new(),
    };
    let (seconds, status) = (duration.as_secs_f64(), authored.status.name());
    format!("{seconds:.1} s for a program by `{author}`: {status}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_named_once_when_it_has_been_missing_for_long() {
        let start = Instant::now();
        let mut waiting = Waiting::default();
        let mut at = |ms, missing: &[&'static str]| {
            waiting.update(missing, start + Duration::from_millis(ms))
        };
        assert_eq!(at(0, &["episode", "keypoints"]), None);
        assert_eq!(at(650, &["episode", "keypoints"]), None);
        assert_eq!(at(700, &["episode"]), Some(vec!["episode"]));
        assert_eq!(at(5000, &["episode"]), None);
        // What comes to be missing later is named with what still is.
        assert_eq!(at(5100, &["episode", "keypoints"]), None);
        let both = Some(vec!["episode", "keypoints"]);
        assert_eq!(at(5900, &["episode", "keypoints"]), both);
        assert_eq!(at(9000, &["keypoints"]), None);
        // It was there, and is missing again.
        assert_eq!(at(9100, &[]), None);
        assert_eq!(at(9200, &["keypoints"]), None);
        assert_eq!(at(9900, &["keypoints"]), Some(vec!["keypoints"]));
    }
}
