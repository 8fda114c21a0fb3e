//! What a machine was told and what it answered, in a file, so that the same can be asked again.
//!
//! A journal is a sequence of entries, each with its length before it (4 bytes, little-endian):
//! the caller's clock, the event, and the effects as bytes, all in postcard's form. Effects are
//! compared as bytes, so that a replay is the same to the last bit or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tiller_core::file::create_in_place;

/// Longest entry that is read, bytes.
const MAX_ENTRY: usize = 64 << 20;

/// Why a journal cannot be written or read.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file.
    #[error("journal: {0}")]
    Io(#[from] io::Error),
    /// An entry.
    #[error("journal entry: {0}")]
    Form(#[from] postcard::Error),
    /// An entry that is longer than any that is written.
    #[error("journal entry: expected at most {MAX_ENTRY} bytes, found {found}")]
    TooLong {
        /// Its length, bytes.
        found: usize,
    },
}

/// Writes a journal.
#[derive(Debug)]
pub struct Recorder<W: Write> {
    out: W,
}

impl<W: Write + Send + 'static> Recorder<W> {
    /// The same writer without its type.
    #[must_use]
    pub fn boxed(self) -> Recorder<Box<dyn Write + Send>> {
        Recorder {
            out: Box::new(self.out),
        }
    }
}

impl<W: Write> Recorder<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record<E: Serialize, F: Serialize>(
        &mut self,
        now_ns: u64,
        event: &E,
        effects: &[F],
    ) -> Result<(), JournalError> {
        let entry = postcard::to_stdvec(&(now_ns, event, effect_bytes(effects)?))?;
        let length =
            u32::try_from(entry.len()).map_err(|_| JournalError::TooLong { found: entry.len() })?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&entry)?;
        Ok(())
    }

    /// Hands everything on to the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        Ok(self.out.flush()?)
    }
}

/// A new journal `NAME.journal` in a folder, which is made where it is missing. It takes the place of
/// one that is there, and is never written through a link.
///
/// # Errors
/// When the folder or the file cannot be made.
pub fn create(folder: &Path, name: &str) -> Result<Recorder<BufWriter<File>>, JournalError> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.journal"));
    let file = create_in_place(&path).map_err(io::Error::from)?;
    Ok(Recorder::new(BufWriter::new(file)))
}

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<E> {
    /// The caller's clock, ns.
    pub now_ns: u64,
    /// What the machine was told.
    pub event: E,
    /// What it answered, as [`effect_bytes`] writes it.
    pub effects: Vec<u8>,
}

/// Effects as they are compared.
///
/// # Errors
/// When they have no such form.
pub fn effect_bytes<F: Serialize>(effects: &[F]) -> Result<Vec<u8>, JournalError> {
    Ok(postcard::to_stdvec(effects)?)
}

/// Reads a whole journal. A last entry that was cut off, by a node that was killed, is left out.
///
/// # Errors
/// When the file cannot be read or is no journal of such events.
pub fn read<E: DeserializeOwned>(mut from: impl Read) -> Result<Vec<Entry<E>>, JournalError> {
    let mut entries = Vec::new();
    loop {
        let mut length = [0; 4];
        match from.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(entries),
            result => result?,
        }
        let found = u32::from_le_bytes(length) as usize;
        if found > MAX_ENTRY {
            return Err(JournalError::TooLong { found });
        }
        let mut entry = vec![0; found];
        match from.read_exact(&mut entry) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(entries),
            result => result?,
        }
        let (now_ns, event, effects) = postcard::from_bytes(&entry)?;
        entries.push(Entry {
            now_ns,
            event,
            effects,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_back_and_a_cut_one_is_left_out() {
        let mut bytes = Vec::new();
        let mut recorder = Recorder::new(&mut bytes);
        recorder.record(7, &"a", &[f64::NAN]).unwrap();
        recorder.record(9, &"b", &[0.5, -0.0]).unwrap();
        let whole = read::<String>(bytes.as_slice()).unwrap();
        assert_eq!((whole.len(), whole[1].now_ns), (2, 9));
        assert_eq!(whole[1].event, "b");
        assert_eq!(whole[1].effects, effect_bytes(&[0.5, -0.0]).unwrap());
        assert_ne!(whole[1].effects, effect_bytes(&[0.5, 0.0]).unwrap());
        let cut = read::<String>(&bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(cut, whole[..1]);
    }
}
