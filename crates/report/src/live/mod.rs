//! What is seen of a run while it goes on: who sends what how often, how old and how complete it is, and
//! where the task stands.
//!
//! [`Live`] is what stands in [`LIVE_FILE`] in the run's folder, written anew again and again by who
//! hears the run; [`PortTally`] counts one stream for it, and [`draw`] makes a table of it.

mod port;
mod table;

pub use port::PortTally;
pub use table::draw;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The file in the run's folder.
pub const LIVE_FILE: &str = "live.json";

/// Version of [`Live`]'s layout.
pub const LIVE_SCHEMA: u32 = 1;

/// A run as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Version of this layout.
    pub schema: u32,
    /// When this was written, ms since 1970; all ages are as of then.
    pub written_unix_ms: u64,
    /// Wall time since its writer was started, s.
    pub running_s: f64,
    /// How the run ended; none while it goes on.
    pub ended: Option<Ended>,
    /// What the robot was told to do.
    pub instruction: String,
    /// Name of the policy bundle.
    pub policy: String,
    /// Whether steering is on.
    pub steered: bool,
    /// Seed of scene and sampling.
    pub seed: u64,
    /// Episodes that are over.
    pub episodes_over: usize,
    /// How many of them succeeded.
    pub successes: usize,
    /// The outcome of the episode as far as it is known: a word, `running` while it is not.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// The stage under way.
    pub stage: Option<Stage>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// What the arm is doing, and how often it had nothing to do.
    pub arm: Arm,
    /// What the actuator refused, clamped or stopped.
    pub safety: Safety,
    /// Warnings and errors of nodes, by code.
    pub warnings: BTreeMap<String, u64>,
    /// What nodes wait for, by node.
    pub waiting_for: BTreeMap<String, String>,
    /// What a robot that tells of itself went through.
    pub robot: Option<String>,
    /// Latencies along the way from camera to arm.
    pub hops: Vec<Hop>,
    /// Every stream that is listened to.
    pub ports: Vec<Port>,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// In a word: `success`, `timeout`, `refused`, `failed`, `stopped`.
    pub outcome: String,
    /// Why.
    pub reason: String,
}

/// The stage under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// From 1; 0 for none.
    pub stage: u32,
    /// How many the program has.
    pub of: usize,
    /// What the program calls it.
    pub name: String,
    /// How many times stages have been entered.
    pub visit: u32,
    /// Whether the policy is steered.
    pub guidance: bool,
    /// The newest decision, in a word.
    pub kind: String,
    /// Why.
    pub reason: String,
}

/// How far the stage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Of holding still now, -0.2 to 1.2.
    pub achieved: f64,
    /// That the chunk under way will bring, -0.2 to 1.2.
    pub planned: f64,
    /// Reward of that chunk.
    pub reward: f64,
    /// How strongly it was pushed.
    pub guidance_strength: f64,
    /// Effective number of particles.
    pub ess: f64,
}

/// What the arm is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// The actuator's mode; empty before it has said one.
    pub mode: String,
    /// Chunks that were taken up.
    pub chunks: u64,
    /// How often the arm held still for want of a chunk and then went on.
    pub holds: u64,
    /// How long these took in all, s of robot time.
    pub hold_s: f64,
    /// States of the control loop that were heard.
    pub states: u64,
    /// States that are missing by their stamps; those of the first second are not counted here.
    pub missing: u64,
    /// The longest wall time from one state to the next, ms.
    pub longest_ms: f64,
}

/// What the actuator refused, clamped or stopped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Safety {
    /// How often, by kind.
    pub counts: BTreeMap<String, u64>,
    /// The newest event.
    pub last: Option<SafetyLast>,
}

/// The newest safety event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SafetyLast {
    /// Its kind.
    pub kind: String,
    /// What was expected and found.
    pub text: String,
    /// How long ago, s.
    pub age_s: f64,
}

/// Latencies of a hop, ms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// From where to where.
    pub name: String,
    /// How many values the percentiles are of.
    pub count: usize,
    /// Half of them are below.
    pub p50_ms: f64,
    /// 99 of 100 are below.
    pub p99_ms: f64,
    /// The longest.
    pub longest_ms: f64,
}

/// A stream as its listener hears it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Port {
    /// Node and output.
    pub name: String,
    /// Messages a second of wall time, over the last seconds.
    pub hz: f64,
    /// Since the newest message, s of wall time; none before the first.
    pub age_s: Option<f64>,
    /// Messages that came.
    pub count: u64,
    /// Messages that never came here, by session and number.
    pub lost: u64,
    /// Messages that could not be read.
    pub refused: u64,
    /// Messages come when there is something to say, and there may be nothing.
    pub is_irregular: bool,
    /// An age from which the stream is called silent, s; none before it has shown a rhythm, and where it
    /// has none.
    pub silent_after_s: Option<f64>,
}

impl Live {
    /// Time since this was written; zero by a clock that is behind.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Duration {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_millis(self.written_unix_ms))
    }

    /// The same as it is this much later, if nothing came meanwhile.
    #[must_use]
    pub fn later(mut self, by: Duration) -> Self {
        let by_s = by.as_secs_f64();
        for age_s in self.ports.iter_mut().filter_map(|port| port.age_s.as_mut()) {
            *age_s += by_s;
        }
        if let Some(last) = &mut self.safety.last {
            last.age_s += by_s;
        }
        self
    }
}

impl Port {
    /// Whether a message should have come since.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!((self.age_s, self.silent_after_s), (Some(age), Some(limit)) if age > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_grow_where_nothing_is_written_and_make_a_stream_silent() {
        let live = Live {
            written_unix_ms: 10_000,
            ports: vec![Port {
                age_s: Some(0.5),
                silent_after_s: Some(1.0),
                ..Default::default()
            }],
            ..Default::default()
        };
        assert!(!live.ports[0].is_silent());
        let age = live.age(UNIX_EPOCH + Duration::from_secs(11));
        assert_eq!(age, Duration::from_secs(1));
        let later = live.clone().later(age);
        assert_eq!(later.ports[0].age_s, Some(1.5));
        assert!(later.ports[0].is_silent());
        assert_eq!(
            live.age(UNIX_EPOCH),
            Duration::ZERO,
            "a clock that is behind"
        );
    }

    #[test]
    fn what_was_written_is_read_again() {
        let live = Live {
            schema: LIVE_SCHEMA,
            stage: Some(Stage::default()),
            ended: Some(Ended::default()),
            ..Default::default()
        };
        let text = serde_json::to_string(&live).unwrap();
        assert_eq!(serde_json::from_str::<Live>(&text).unwrap(), live);
    }
}
