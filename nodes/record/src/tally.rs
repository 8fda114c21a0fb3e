//! What came, and what is missing.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use eyre::{Result, WrapErr};
use serde::Serialize;
use tiller_messages::{Arrival, SequenceCheck};

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

/// Messages of an output that are not in the recording, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    /// Numbers that were skipped: they were lost on the way here.
    pub(crate) skipped: u64,
    /// dora's count of messages that newer ones took the place of before they were read; a part of
    /// those skipped where the sender counts.
    pub(crate) superseded: u64,
    /// Those that came and were not written.
    pub(crate) left_out: u64,
}

impl Missing {
    fn is_none(self) -> bool {
        self == Self::default()
    }
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
        Report {
            complete: false,
            messages: written.messages,
            bytes: written.bytes,
            error: written.error,
            topics: topics.collect(),
        }
        .judged()
    }
}

/// What a recording holds, and what not.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    complete: bool,
    messages: u64,
    bytes: u64,
    /// Why no more was written, if that is so.
    error: Option<String>,
    topics: BTreeMap<String, Recorded>,
}

#[derive(Debug, Serialize)]
struct Recorded {
    messages: u64,
    #[serde(flatten)]
    missing: Missing,
}

impl Report {
    fn judged(self) -> Self {
        let complete =
            self.error.is_none() && self.topics.values().all(|topic| topic.missing.is_none());
        Self { complete, ..self }
    }

    /// Whether nothing is known to be missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Writes the report as JSON beside the recording, `x.drec.json`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(crate) fn write_beside(&self, recording: &Path) -> Result<()> {
        let mut name = recording.as_os_str().to_owned();
        name.push(".json");
        let text = serde_json::to_string_pretty(self)?;
        fs::write(&name, text + "\n")
            .wrap_err_with(|| format!("cannot write {}", Path::new(&name).display()))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages, {} bytes", self.messages, self.bytes)?;
        if self.complete {
            return write!(f, ": complete");
        }
        write!(f, ": the recording is not complete")?;
        if let Some(error) = &self.error {
            write!(f, "; {error}")?;
        }
        for (name, topic) in &self.topics {
            let Missing {
                skipped,
                superseded,
                left_out,
            } = topic.missing;
            if !topic.missing.is_none() {
                let lost = skipped.max(superseded) + left_out;
                let of = topic.messages + lost;
                write!(f, "; {name}: {lost} of {of} are missing")?;
            }
        }
        Ok(())
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
        assert!(!report.is_complete());
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
        assert!(complete.is_complete() && complete.to_string().ends_with("complete"));
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
            assert!(!report.is_complete(), "{report}");
            assert!(report.to_string().contains("not complete"), "{report}");
        }
    }
}
