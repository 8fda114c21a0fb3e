//! Watchdogs: what an arm must hear of to go on moving, and what becomes of it otherwise.
//!
//! A source is watched from when it is first heard, until nothing more is expected of it. Who has been
//! silent for longer than its limit is missing, until it is heard again: that is told once, and the arm
//! is held or stopped. The control loop itself is watched the other way round: it is told when it was
//! late, and is well again after a second of being in time.

use serde::{Deserialize, Serialize};
use tiller_core::SECOND_NS;

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// Chunks, while an arm that has had one stands still without the next.
    Chunk,
    /// A camera, by its place among those that are watched.
    Camera(u8),
    /// Keypoints, of which there are none before the scene was grounded.
    Keypoints,
    /// The sampler, which says every second that it lives.
    Sampler,
    /// The control loop.
    Loop,
}

/// What becomes of the arm.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Reaction {
    /// Nothing; nobody is told either.
    #[default]
    Off,
    /// It is brought to rest and refuses chunks until what is missing is back; then it goes on by itself.
    Hold,
    /// A controlled stop, after which somebody must allow motion again.
    Stop,
}

/// How one source is watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Watch {
    /// What becomes of the arm.
    pub reaction: Reaction,
    /// Longest silence, or longest time between two rounds of the control loop, ns.
    pub limit_ns: u64,
}

/// How everything is watched. Default: nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WatchdogConfig {
    /// Chunks.
    pub chunk: Watch,
    /// Each camera.
    pub camera: Watch,
    /// Keypoints.
    pub keypoints: Watch,
    /// The sampler.
    pub sampler: Watch,
    /// The control loop.
    pub overrun: Watch,
    /// The cameras' names, at most [`MAX_CAMERAS`].
    pub cameras: Vec<String>,
}

/// Most cameras that are watched.
pub const MAX_CAMERAS: usize = 16;

/// How long the control loop must have been in time to count as well again, ns.
const WELL_AFTER_NS: u64 = SECOND_NS;

/// Sources: four and the cameras.
const SOURCES: usize = 4 + MAX_CAMERAS;

/// What is known of one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Heard {
    /// When it was last heard, ns; of the control loop, when it was last late.
    at_ns: Option<u64>,
    is_missing: bool,
}

/// Something is missing, for the first time since it was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// What.
    pub source: Source,
    /// What becomes of the arm.
    pub reaction: Reaction,
    /// How long it has been silent; of the control loop, how long the round took, ns.
    pub silent_ns: u64,
    /// How long it may be, ns.
    pub limit_ns: u64,
}

/// The watchdogs. Times are those of one clock, whichever it is; one that stands still ages nothing.
#[derive(Debug, Clone, Default)]
pub struct Watchdog {
    config: WatchdogConfig,
    heard: [Heard; SOURCES],
}

impl Watchdog {
    /// Nothing has been heard yet.
    #[must_use]
    pub fn new(config: WatchdogConfig) -> Self {
        Self {
            config,
            heard: [Heard::default(); SOURCES],
        }
    }

    fn watch(&self, source: Source) -> Watch {
        match source {
            Source::Chunk => self.config.chunk,
            Source::Camera(_) => self.config.camera,
            Source::Keypoints => self.config.keypoints,
            Source::Sampler => self.config.sampler,
            Source::Loop => self.config.overrun,
        }
    }

    fn is_off(&self, source: Source) -> bool {
        self.watch(source).reaction == Reaction::Off
    }

    /// Takes note of a source at `now_ns`; true where it was missing and is back.
    pub fn hear(&mut self, source: Source, now_ns: u64) -> bool {
        if source == Source::Loop || self.is_off(source) {
            return false;
        }
        let Some(heard) = index(source).and_then(|at| self.heard.get_mut(at)) else {
            return false;
        };
        heard.at_ns = Some(now_ns);
        std::mem::take(&mut heard.is_missing)
    }

    /// The clock is known from now on: silences of what was heard before count from here.
    pub fn begin(&mut self, now_ns: u64) {
        for at_ns in self
            .heard
            .iter_mut()
            .filter_map(|heard| heard.at_ns.as_mut())
        {
            *at_ns = now_ns;
        }
    }

    /// A source need not be heard before now: its silence counts from here, unless it is missing already
    /// or nothing is expected of it.
    pub fn excuse(&mut self, source: Source, now_ns: u64) {
        if let Some(at) = index(source)
            && !self.heard[at].is_missing
            && let Some(at_ns) = &mut self.heard[at].at_ns
        {
            *at_ns = now_ns;
        }
    }

    /// Nothing more is expected of a source until it is heard again.
    pub fn forget(&mut self, source: Source) {
        if let Some(at) = index(source) {
            self.heard[at] = Heard::default();
        }
    }

    /// A round of the control loop took so long. An alarm where that is too long and none is under way.
    pub fn round_took(&mut self, took_ns: u64, now_ns: u64) -> Option<Alarm> {
        let watch = self.config.overrun;
        if watch.reaction == Reaction::Off || took_ns <= watch.limit_ns {
            return None;
        }
        let heard = &mut self.heard[LOOP];
        heard.at_ns = Some(now_ns);
        if std::mem::replace(&mut heard.is_missing, true) {
            return None;
        }
        Some(Alarm {
            source: Source::Loop,
            reaction: watch.reaction,
            silent_ns: took_ns,
            limit_ns: watch.limit_ns,
        })
    }

    /// Whether the control loop is well again, once.
    pub fn is_loop_back(&mut self, now_ns: u64) -> bool {
        let heard = &mut self.heard[LOOP];
        let well_ns = heard.at_ns.map_or(0, |late| now_ns.saturating_sub(late));
        heard.is_missing && well_ns >= WELL_AFTER_NS && std::mem::take(&mut heard.is_missing)
    }

    /// What is missing from now on; call it until it says nothing more. Allocates nothing.
    pub fn check(&mut self, now_ns: u64) -> Option<Alarm> {
        for at in LOOP + 1..SOURCES {
            let source = source(at);
            let watch = self.watch(source);
            let heard = &mut self.heard[at];
            let Some(at_ns) = heard.at_ns.filter(|_| !heard.is_missing) else {
                continue;
            };
            let silent_ns = now_ns.saturating_sub(at_ns);
            if silent_ns <= watch.limit_ns {
                continue;
            }
            heard.is_missing = true;
            return Some(Alarm {
                source,
                reaction: watch.reaction,
                silent_ns,
                limit_ns: watch.limit_ns,
            });
        }
        None
    }

    /// The first source that is missing and for which the arm does this.
    #[must_use]
    pub fn missing(&self, reaction: Reaction) -> Option<Source> {
        let missing = (0..SOURCES).filter(|at| self.heard[*at].is_missing);
        missing
            .map(source)
            .find(|source| self.watch(*source).reaction == reaction)
    }

    /// What people call a source.
    #[must_use]
    pub fn name(&self, source: Source) -> &str {
        match source {
            Source::Chunk => "chunk",
            Source::Camera(number) => {
                let name = self.config.cameras.get(usize::from(number));
                name.map_or("camera", String::as_str)
            }
            Source::Keypoints => "keypoints",
            Source::Sampler => "sampler",
            Source::Loop => "control loop",
        }
    }
}

impl Source {
    /// The kind of the safety event: a word that machines may test for.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Chunk => "no_chunk",
            Self::Camera(_) => "no_camera",
            Self::Keypoints => "no_keypoints",
            Self::Sampler => "no_sampler",
            Self::Loop => "loop_overrun",
        }
    }
}

/// Where the control loop stands among the sources.
const LOOP: usize = 0;

fn index(source: Source) -> Option<usize> {
    match source {
        Source::Loop => Some(LOOP),
        Source::Chunk => Some(1),
        Source::Keypoints => Some(2),
        Source::Sampler => Some(3),
        Source::Camera(number) => Some(4 + usize::from(number)).filter(|at| *at < SOURCES),
    }
}

fn source(at: usize) -> Source {
    match at {
        LOOP => Source::Loop,
        1 => Source::Chunk,
        2 => Source::Keypoints,
        3 => Source::Sampler,
        camera => Source::Camera(u8::try_from(camera - 4).unwrap_or(u8::MAX)),
    }
}

#[cfg(test)]
mod tests;
