//! What came, and what is missing.

use std::collections::BTreeMap;

use tiller_messages::{Arrival, SequenceCheck};
use tiller_recording::{Missing, Recorded, Report};

use crate::disk::Written;

/// Counts by output.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    topics: BTreeMap<String, Count>,
}

#[derive(Debug, Default)]
struct Count {
    messages: u64,
    check: SequenceCheck,
    /// Of pictures, which carry no session: their numbers begin anew with their sender.
    starts: u64,
    last: u64,
    counted: Missing,
}

impl Tally {
    pub(crate) fn new<'a>(topics: impl Iterator<Item = &'a str>) -> Self {
        Self {
            topics: topics
                .map(|name| (name.to_owned(), Count::default()))
                .collect(),
        }
    }

    /// A message came, with its sender's session and number where it has any.
    pub(crate) fn came(&mut self, topic: &str, number: Option<(u64, u64)>) {
        let count = self.topics.entry(topic.to_owned()).or_default();
        count.messages += 1;
        let Some((session, seq)) = number else {
            return;
        };
        if session == 0 && seq < count.last {
            count.starts += 1;
        }
        count.last = seq;
        if let Arrival::After { lost } = count.check.observe(session.max(count.starts), seq) {
            count.counted.skipped += lost;
        }
    }

    /// dora let newer messages take the place of so many.
    pub(crate) fn superseded(&mut self, topic: &str, messages: u64) {
        let count = self.topics.entry(topic.to_owned()).or_default();
        count.counted.superseded += messages;
    }

    /// One that came was not written.
    pub(crate) fn left_out(&mut self, topic: &str) {
        let count = self.topics.entry(topic.to_owned()).or_default();
        count.counted.left_out += 1;
    }

    pub(crate) fn report(self, written: Written) -> Report {
        let topics = self.topics.into_iter().map(|(name, count)| {
            let of = Recorded {
                messages: count.messages - count.counted.left_out,
                missing: count.counted,
            };
            (name, of)
        });
        Report::new(
            (written.messages, written.bytes),
            written.error,
            topics.collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(messages: u64) -> Written {
        Written {
            messages,
            bytes: 10 * messages,
            error: None,
        }
    }

    #[test]
    fn gaps_are_missing_and_repeated_or_first_numbers_are_not() {
        let mut tally = Tally::new(["a/b"].into_iter());
        for seq in [4, 5, 5, 8, 9] {
            tally.came("a/b", Some((7, seq)));
        }
        // Its sender was started anew.
        tally.came("a/b", Some((9, 1)));
        tally.came("a/b", None);
        let report = tally.report(written(7));
        assert!(!report.complete);
        assert_eq!(report.topics["a/b"].missing.skipped, 2);
        let text = report.to_string();
        assert!(text.ends_with("; a/b: 2 of 9 are missing"), "{text}");
    }

    #[test]
    fn pictures_begin_anew_with_their_sender() {
        let mut tally = Tally::default();
        for seq in [1, 2, 3, 1, 2, 4] {
            tally.came("camera/image", Some((0, seq)));
        }
        let report = tally.report(written(6));
        assert_eq!(report.topics["camera/image"].missing.skipped, 1);
    }

    #[test]
    fn whatever_is_not_written_makes_it_incomplete() {
        let complete = Tally::default().report(written(0));
        assert!(complete.complete && complete.to_string().ends_with("complete"));
        let mut left_out = Tally::default();
        left_out.came("a/b", None);
        left_out.left_out("a/b");
        let mut superseded = Tally::default();
        superseded.superseded("a/b", 3);
        let full = Tally::default().report(Written {
            error: Some("cannot write x.drec: no space".to_owned()),
            ..written(0)
        });
        for report in [
            left_out.report(written(0)),
            superseded.report(written(0)),
            full,
        ] {
            assert!(!report.complete, "{report}");
            assert!(report.to_string().contains("not complete"), "{report}");
        }
    }
}
