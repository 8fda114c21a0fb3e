//! The pictures that plans were made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tiller_recording::{Clock, Recording, RecordingError, pixels};

/// A camera's picture, interleaved 8-bit RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgb: Vec<u8>,
}

/// Pictures by the output that sent them, `NODE/OUTPUT`, and their stamps, ns.
#[derive(Debug, Default)]
pub(crate) struct Frames(BTreeMap<String, BTreeMap<u64, Picture>>);

/// How far the stamp of a camera that stamps in time since 1970 may be off, ns: a recording does not say how
/// the two clocks stood.
const CLOCK_NS: u64 = 2_000_000;

impl Frames {
    /// Reads those that are wanted, and no others; and what was wrong with pictures.
    pub(crate) fn read(
        path: &Path,
        wanted: &BTreeMap<String, BTreeSet<u64>>,
    ) -> Result<(Self, Vec<String>), RecordingError> {
        let mut frames = Self::default();
        let mut problems = Vec::new();
        let mut recording = Recording::open(path)?;
        let mut clock = Clock::default();
        while let Some(entry) = recording.next_entry() {
            let topic = entry.topic();
            let Some(stamps) = wanted.get(&topic) else {
                continue;
            };
            let Ok(sent) = entry.open() else { continue };
            let header = match sent.image_header(&clock) {
                Ok(Some(header)) => header,
                Ok(None) => continue,
                Err(error) => {
                    problems.push(format!("{topic}: {error}"));
                    continue;
                }
            };
            clock.observe(header.stamp_ns, sent.sent_ns());
            let near = header.stamp_ns.saturating_sub(CLOCK_NS)..=header.stamp_ns + CLOCK_NS;
            let stamp = stamps
                .get(&header.stamp_ns)
                .or_else(|| stamps.range(near).next());
            let Some(stamp) = stamp else { continue };
            match pixels::rgb(&header, &sent.data) {
                Ok(rgb) => {
                    let picture = Picture {
                        width: header.width,
                        height: header.height,
                        rgb,
                    };
                    frames.0.entry(topic).or_default().insert(*stamp, picture);
                }
                Err(found) => problems.push(format!(
                    "{topic}: expected a picture in colour, found {found}"
                )),
            }
        }
        Ok((frames, problems))
    }

    pub(crate) fn get(&self, topic: &str, stamp_ns: u64) -> Option<&Picture> {
        self.0.get(topic)?.get(&stamp_ns)
    }
}
