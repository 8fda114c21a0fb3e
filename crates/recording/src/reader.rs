//! A file, entry after entry.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use dora_recording::RecordingReader;
use tiller_core::file::{FileError, open_regular};
use tiller_core::shown;

use crate::Entry;

/// What a recording's end begins with. dora's reader stops there and does not say that it came so far.
const FOOTER: &[u8; 8] = b"DORAEND\0";
/// Bytes of the end: those, and the counts of messages and bytes.
const FOOTER_LEN: u64 = 8 + 8 + 8;
/// Bytes before an entry that say how long it is.
const LENGTH_LEN: u64 = 4;
/// Bytes of an entry beside its names and its event: two lengths of names, a time, a length.
const FIXED_LEN: usize = 2 + 2 + 8 + 4;

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// No such file, or none that can be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is there, and cannot be read.
    #[error("cannot read {}: {cause}", shown(&.path.to_string_lossy()))]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
    /// The file does not begin as a recording does.
    #[error(
        "{}: expected a recording of dora (a .drec file of format version {}), found {found}",
        shown(&.path.to_string_lossy()),
        dora_recording::FORMAT_VERSION
    )]
    NotARecording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
}

/// Why a recording ends before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The recorder was killed, or is still at work.
    #[error("expected an end mark, found none: the recording is cut off after {entries} messages")]
    CutOff {
        /// Whole entries before.
        entries: u64,
    },
    /// Something that is no entry stands in the midst of the file; nothing behind it can be found.
    #[error("expected an entry behind {entries} messages, at byte {byte}, found {found}")]
    Damaged {
        /// Whole entries before.
        entries: u64,
        /// Where it stands in the file.
        byte: u64,
        /// What is wrong with it.
        found: String,
    },
}

/// What stands before the first entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The dataflow's text, YAML, as the recorder had it: variables are replaced by their values.
    pub dataflow: String,
    /// When the recording began, ns since 1970.
    pub start_ns: u64,
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Recording {
    reader: RecordingReader<File>,
    header: Header,
    has_end: bool,
    len: u64,
    position: u64,
    entries: u64,
    is_at_end: bool,
    broken: Option<Broken>,
}

impl Recording {
    /// Opens a recording and reads its header.
    ///
    /// # Errors
    /// [`RecordingError`] when there is none that can be read.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let mut file = open_regular(path)?;
        let io = |cause| RecordingError::Io {
            path: path.to_owned(),
            cause,
        };
        let (len, has_end) = ending(&mut file).map_err(io)?;
        let reader = RecordingReader::open(file).map_err(|error| {
            let found = format!("{error:#}");
            RecordingError::NotARecording {
                path: path.to_owned(),
                found: if len == 0 {
                    "an empty file".to_owned()
                } else {
                    found
                },
            }
        })?;
        let written = reader.header();
        let header = Header {
            dataflow: String::from_utf8_lossy(&written.descriptor_yaml).into_owned(),
            start_ns: written.start_nanos,
        };
        // Magic, version, start, identity, and the dataflow with its length.
        let position = 8 + 2 + 8 + 16 + LENGTH_LEN + written.descriptor_yaml.len() as u64;
        Ok(Self {
            reader,
            header,
            has_end,
            len,
            position,
            entries: 0,
            is_at_end: false,
            broken: None,
        })
    }

    /// What stands before the first entry.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of the file.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.len
    }

    /// Bytes that have been read: how far it is.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next entry of anybody; none at the end, or where the recording is broken
    /// ([`Recording::broken`] says so).
    pub fn next_entry(&mut self) -> Option<Entry> {
        if self.is_at_end {
            return None;
        }
        match self.reader.next_entry() {
            Ok(Some(entry)) => {
                let len = entry.node_id.len() + entry.output_id.len() + entry.event_bytes.len();
                self.position += LENGTH_LEN + (FIXED_LEN + len) as u64;
                self.entries += 1;
                Some(entry.into())
            }
            Ok(None) => {
                self.is_at_end = true;
                if !self.has_end {
                    self.broken = Some(Broken::CutOff {
                        entries: self.entries,
                    });
                } else if self.position + FOOTER_LEN != self.len {
                    self.broken = Some(self.damaged("an end in its midst"));
                }
                None
            }
            Err(error) => {
                self.is_at_end = true;
                self.broken = Some(self.damaged(&format!("{error:#}")));
                None
            }
        }
    }

    /// The next entry of this node, as [`Recording::next_entry`].
    pub fn next_of(&mut self, node: &str) -> Option<Entry> {
        self.find(|entry| entry.node == node)
    }

    fn damaged(&self, found: &str) -> Broken {
        Broken::Damaged {
            entries: self.entries,
            byte: self.position,
            found: found.to_owned(),
        }
    }

    /// Why there was no further entry, if not because the recording ends there. Known once
    /// [`Recording::next_entry`] has given none.
    #[must_use]
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }
}

impl Iterator for Recording {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.next_entry()
    }
}

/// The file's length, and whether it ends as a recording does; it stands at its beginning again.
fn ending(file: &mut File) -> io::Result<(u64, bool)> {
    let len = file.metadata()?.len();
    let mut mark = [0; FOOTER.len()];
    let has_end = len >= FOOTER_LEN && {
        file.seek(SeekFrom::Start(len - FOOTER_LEN))?;
        file.read_exact(&mut mark)?;
        mark == *FOOTER
    };
    file.rewind()?;
    Ok((len, has_end))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::{entry, number, write};

    fn three() -> [dora_recording::RecordEntry; 3] {
        [
            entry("camera", "image", Some(&number(1))),
            entry("arm", "state", Some(&number(2))),
            entry("camera", "image", None),
        ]
    }

    #[test]
    fn a_recording_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.drec");
        write(&path, &three());
        let mut recording = Recording::open(&path).unwrap();
        assert_eq!(recording.header().dataflow, "nodes: []");
        assert_eq!(recording.header().start_ns, 12);
        let topics: Vec<String> = recording.by_ref().map(|entry| entry.topic()).collect();
        assert_eq!(topics, ["camera/image", "arm/state", "camera/image"]);
        assert_eq!(recording.broken(), None);
        assert_eq!(recording.position() + FOOTER_LEN, recording.byte_len());
    }

    #[test]
    fn every_cut_is_told_and_whole_entries_before_it_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.drec");
        write(&path, &three());
        let bytes = fs::read(&path).unwrap();
        let mut whole = Recording::open(&path).unwrap();
        let mut ends = Vec::new();
        while whole.next_entry().is_some() {
            ends.push(whole.position() as usize);
        }
        for len in (ends[0]..bytes.len()).step_by(7) {
            fs::write(&path, &bytes[..len]).unwrap();
            let mut recording = Recording::open(&path).unwrap();
            let entries = recording.by_ref().count() as u64;
            let expected = ends.iter().filter(|end| **end <= len).count() as u64;
            assert_eq!(entries, expected, "{len} bytes");
            assert_eq!(recording.broken(), Some(&Broken::CutOff { entries }));
        }
    }

    #[test]
    fn damage_in_the_midst_ends_it_and_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.drec");
        write(&path, &three());
        let mut bytes = fs::read(&path).unwrap();
        let mut whole = Recording::open(&path).unwrap();
        whole.next_entry().unwrap();
        let second = whole.position();
        // The length of the second entry's first name.
        bytes[second as usize + 5] = 0xFF;
        fs::write(&path, &bytes).unwrap();
        let mut recording = Recording::open(&path).unwrap();
        assert_eq!(recording.by_ref().count(), 1);
        let Some(Broken::Damaged { entries, byte, .. }) = recording.broken() else {
            panic!("{:?}", recording.broken());
        };
        assert_eq!((*entries, *byte), (1, second));
    }

    #[test]
    fn what_is_no_recording_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.drec");
        let found = |path: &Path| Recording::open(path).unwrap_err().to_string();
        assert!(found(&path).contains("x.drec"), "{}", found(&path));
        for (bytes, word) in [(&b""[..], "an empty file"), (b"no recording", "magic")] {
            fs::write(&path, bytes).unwrap();
            let text = found(&path);
            assert!(
                text.contains("expected a recording") && text.contains(word),
                "{text}"
            );
        }
    }
}
