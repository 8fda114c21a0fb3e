//! Journals, put together again from their pieces.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tiller_closed_loop::journal::{Entry, Header, Machine, read};
use tiller_messages::Journal;
use tiller_recording::Recording;

use crate::ReplayError;

/// The output on which journals are sent.
const JOURNAL: &str = "journal";

/// One machine's journal, from the machine's start on.
#[derive(Debug, Clone)]
pub struct Story {
    /// The node.
    pub node: String,
    /// The session of that start.
    pub session: u64,
    /// What the machine is and how it was set.
    pub header: Header,
    /// The entries as they were written.
    pub bytes: Vec<u8>,
    /// What of it is missing.
    pub missing: Option<String>,
}

/// All journals of a recording.
#[derive(Debug, Clone)]
pub struct Stories {
    /// The recording.
    pub recording: PathBuf,
    /// In the order in which their machines were first heard.
    pub stories: Vec<Story>,
    /// What is missing of the recording, or cannot be used.
    pub missing: Vec<String>,
}

/// Pieces that have come so far.
#[derive(Default)]
struct Pieces {
    header: Option<Vec<u8>>,
    bytes: Vec<u8>,
    missing: Option<String>,
    order: usize,
}

impl Pieces {
    fn take(&mut self, piece: Journal) {
        let known = self.bytes.len() as u64;
        if self.missing.is_some() {
            return;
        }
        if piece.offset > known {
            let to = piece.offset;
            self.missing = Some(format!(
                "what came from byte {known} on, up to {to} at least"
            ));
            return;
        }
        self.header.get_or_insert(piece.header);
        let again = usize::try_from(known - piece.offset).unwrap_or(usize::MAX);
        self.bytes
            .extend(piece.entries.get(again..).unwrap_or_default());
    }
}

impl Stories {
    /// Reads the journals of a recording; `progress` hears how many of its bytes have been read.
    ///
    /// # Errors
    /// [`ReplayError`] when the recording cannot be read, or holds no journal.
    pub fn read(path: &Path, mut progress: impl FnMut(u64)) -> Result<Self, ReplayError> {
        let mut recording = Recording::open(path)?;
        let mut all: BTreeMap<(String, u64), Pieces> = BTreeMap::new();
        let mut missing = Vec::new();
        while let Some(entry) = recording.next_entry() {
            progress(recording.position());
            if entry.output != JOURNAL {
                continue;
            }
            let opened = entry.open().map_err(|error| error.to_string());
            let piece = opened.and_then(|sent| {
                sent.message::<Journal>()
                    .map_err(|error| format!("{}: {error}", entry.topic()))
            });
            match piece {
                Ok(piece) => {
                    let order = all.len();
                    let pieces = all
                        .entry((entry.node, piece.session))
                        .or_insert_with(|| Pieces {
                            order,
                            ..Pieces::default()
                        });
                    pieces.take(piece);
                }
                Err(error) => missing.push(error),
            }
        }
        missing.extend(recording.broken().map(ToString::to_string));
        if all.is_empty() {
            return Err(ReplayError::NoJournal);
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|(_, pieces)| pieces.order);
        let mut stories = Vec::new();
        for ((node, session), pieces) in all {
            let Some(header) = pieces.header else {
                let what = pieces.missing.unwrap_or_default();
                missing.push(format!("journal of `{node}`, session {session}: {what}"));
                continue;
            };
            match Header::read(&header) {
                Ok(header) => stories.push(Story {
                    node,
                    session,
                    header,
                    bytes: pieces.bytes,
                    missing: pieces.missing,
                }),
                Err(error) => missing.push(format!(
                    "journal of `{node}`, session {session}: expected a header of this version of Tiller: {error}"
                )),
            }
        }
        Ok(Self {
            recording: path.to_owned(),
            stories,
            missing,
        })
    }

    /// Version of Tiller that recorded it, where that is another one.
    pub(crate) fn other_software(&self) -> Option<&str> {
        let software = self
            .stories
            .iter()
            .map(|story| story.header.software.as_str());
        software
            .into_iter()
            .find(|software| *software != env!("CARGO_PKG_VERSION"))
    }
}

impl Story {
    /// The machine's kind, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.header.machine {
            Machine::Sampler(_) => "sampler",
            Machine::Switcher(_) => "switcher",
            Machine::Actuator(..) => "actuator",
            Machine::Author(_) => "author",
        }
    }

    /// What it was told and what it answered.
    ///
    /// # Errors
    /// With what is wrong with it, as a text.
    pub(crate) fn entries<E: serde::de::DeserializeOwned>(&self) -> Result<Vec<Entry<E>>, String> {
        read(self.bytes.as_slice()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(offset: u64, header: &[u8], entries: &[u8]) -> Journal {
        Journal {
            offset,
            header: header.to_vec(),
            entries: entries.to_vec(),
            ..Journal::default()
        }
    }

    #[test]
    fn pieces_are_joined_until_one_is_missing() {
        let mut pieces = Pieces::default();
        pieces.take(piece(0, &[1], &[7, 8]));
        // What is told again, in part or as a whole, is known.
        pieces.take(piece(1, &[1], &[8, 9]));
        pieces.take(piece(0, &[1], &[7]));
        assert_eq!(
            (pieces.bytes.as_slice(), &pieces.missing),
            ([7, 8, 9].as_slice(), &None)
        );
        pieces.take(piece(5, &[1], &[1]));
        pieces.take(piece(3, &[1], &[1]));
        assert_eq!(pieces.bytes, [7, 8, 9]);
        assert!(pieces.missing.is_some_and(|what| what.contains("byte 3")));
    }

    #[test]
    fn a_journal_without_a_beginning_is_no_journal() {
        let mut pieces = Pieces::default();
        pieces.take(piece(40, &[1], &[1]));
        assert_eq!(pieces.header, None);
        assert!(pieces.missing.is_some_and(|what| what.contains("byte 0")));
    }
}
