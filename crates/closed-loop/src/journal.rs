//! What a machine was told and what it answered, so that the same can be asked again. A node sends it piece by piece on
//! its output `journal`, which nobody listens to but a recorder.
//!
//! A journal is a sequence of entries, each with its length before it (4 bytes, little-endian):
//! the caller's clock, the event, and the effects as bytes, all in postcard's form. Effects are
//! compared as bytes, so that a replay is the same to the last bit or not at all.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tiller_messages::Journal;
use tiller_motion::ActuatorConfig;

use crate::{Guard, PlannerConfig, SamplerConfig, SwitcherConfig};

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

/// What a journal begins with: whose it is, and how to make that machine anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of Tiller that wrote it; another one's machines may decide otherwise.
    pub software: String,
    /// The machine.
    pub machine: Machine,
}

impl Header {
    /// Reads what stands before a journal.
    ///
    /// # Errors
    /// When it has no such form, as one of another version may.
    pub fn read(bytes: &[u8]) -> Result<Self, JournalError> {
        Ok(postcard::from_bytes(bytes)?)
    }
}

/// A machine's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Machine {
    /// Of a [`Sampler`](crate::Sampler) and its [`Planner`](crate::Planner).
    Sampler(Box<SamplerHeader>),
    /// Of a [`Switcher`](crate::Switcher).
    Switcher(SwitcherConfig),
    /// Of an [`Actuator`](crate::Actuator); the last is whether it drives an arm that keeps its own time.
    Actuator(Box<ActuatorConfig>, Guard, bool),
    /// Of whoever writes reward programs.
    Author(Box<AuthorHeader>),
}

/// How a sampler plans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SamplerHeader {
    /// Of the machine.
    pub sampler: SamplerConfig,
    /// Of the planner.
    pub planner: PlannerConfig,
    /// The bundle: its folder, as far as the node knew, and SHA-256 over its manifest, which holds those of its files.
    pub bundle: (String, String),
    /// What ran the policy, and with how many threads.
    pub runtime: (String, usize),
    /// The policy's cameras and the output that showed each, `NODE/OUTPUT` where the node knew it, else the input.
    pub cameras: Vec<(String, String)>,
    /// What became of pictures of another size than the policy's.
    pub picture_fit: String,
}

/// How programs are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorHeader {
    /// The world whose author stands by, and writes where nobody else is asked.
    pub world: String,
    /// Who is asked: `embedded`, or such as `openai/gpt-5-mini`.
    pub source: String,
    /// Further answers after a first one that is not sound.
    pub max_repairs: u32,
    /// What happens when none is: `embedded`, `unsteered` or `hold`.
    pub fallback: String,
    /// The folder of prompts, where they are not those that come with Tiller.
    pub prompt_dir: Option<String>,
    /// SHA-256 over all prompts, in hexadecimal.
    pub prompts_sha256: String,
    /// What every model is told about the scene.
    pub scene_notes: String,
    /// The output that shows the annotated picture, `NODE/OUTPUT` where the node knew it, else the input.
    pub pictures: String,
}

/// Writes a journal.
#[derive(Debug)]
pub struct Recorder<W: Write> {
    out: W,
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
}

/// Least time between two pieces, ns.
const PIECE_NS: u64 = 200_000_000;

/// For how long what was sent is sent again, ns: dora loses messages now and then, and nobody asks for them again.
const REPEAT_NS: u64 = 1_000_000_000;

/// Entries that wait to be sent, in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct Pending(Arc<Mutex<Vec<u8>>>);

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        // Nothing panics with the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A journal on its way out of a node, piece by piece. A piece holds what is new and what was sent within the last second,
/// so that a few may get lost.
#[derive(Debug)]
pub struct Pieces {
    pending: Pending,
    header: Vec<u8>,
    /// What the next piece begins with, and how many bytes were before that.
    recent: Vec<u8>,
    offset: u64,
    /// When pieces were sent, ns, and how many bytes had been written until then.
    sent: VecDeque<(u64, u64)>,
}

impl Pieces {
    /// A journal that begins with `header`, and the recorder that writes it.
    ///
    /// # Errors
    /// When the header has no such form.
    pub fn new(header: &Header) -> Result<(Recorder<Pending>, Self), JournalError> {
        let pending = Pending::default();
        let pieces = Self {
            pending: pending.clone(),
            header: postcard::to_stdvec(header)?,
            recent: Vec::new(),
            offset: 0,
            sent: VecDeque::new(),
        };
        Ok((Recorder::new(pending), pieces))
    }

    /// The next piece, if there is something to send and the last one was sent a while ago. `now_ns` is any
    /// clock that does not go back.
    pub fn due(&mut self, now_ns: u64) -> Option<Journal> {
        if self
            .sent
            .back()
            .is_some_and(|(sent, _)| now_ns < sent + PIECE_NS)
        {
            return None;
        }
        while let Some((_, end)) = self
            .sent
            .pop_front_if(|(sent, _)| *sent + REPEAT_NS <= now_ns)
        {
            self.recent
                .drain(..usize::try_from(end - self.offset).unwrap_or(0));
            self.offset = end;
        }
        let piece = self.rest()?;
        self.sent
            .push_back((now_ns, self.offset + self.recent.len() as u64));
        Some(piece)
    }

    /// Everything that has not been sent, or not for long.
    pub fn rest(&mut self) -> Option<Journal> {
        self.recent.append(&mut self.pending.lock());
        (!self.recent.is_empty()).then(|| Journal {
            offset: self.offset,
            header: self.header.clone(),
            entries: self.recent.clone(),
            ..Journal::default()
        })
    }
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

/// Effects out of their bytes.
///
/// # Errors
/// When they are no such effects.
pub fn read_effects<F: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<F>, JournalError> {
    Ok(postcard::from_bytes(bytes)?)
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
    fn every_byte_arrives_though_pieces_get_lost() {
        let header = Header {
            software: "7".to_owned(),
            machine: Machine::Switcher(SwitcherConfig::default()),
        };
        let (mut recorder, mut pieces) = Pieces::new(&header).unwrap();
        assert_eq!(pieces.due(5), None, "nothing has happened");
        let mut all: Vec<u8> = Vec::new();
        for round in 0..40_u64 {
            recorder
                .record(round, &"a".repeat(round as usize), &[1.0])
                .unwrap();
            let piece = pieces.due(5 + round * PIECE_NS).unwrap();
            assert_eq!(pieces.due(6 + round * PIECE_NS), None, "too early");
            assert_eq!(Header::read(&piece.header).unwrap(), header);
            // Four in a row may get lost.
            if round % 5 == 0 {
                let known = all.len() - piece.offset as usize;
                all.extend(&piece.entries[known..]);
            }
        }
        let piece = pieces.rest().unwrap();
        assert!(piece.entries.len() < all.len() / 2, "most is sent no more");
        all.extend(&piece.entries[all.len() - piece.offset as usize..]);
        assert_eq!(read::<String>(all.as_slice()).unwrap().len(), 40);
    }

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
        assert_eq!(read_effects::<f64>(&whole[1].effects).unwrap(), [0.5, -0.0]);
        assert_ne!(whole[1].effects, effect_bytes(&[0.5, 0.0]).unwrap());
        let cut = read::<String>(&bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(cut, whole[..1]);
    }
}
