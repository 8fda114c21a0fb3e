//! What the robot's machine saw of a run, from a recording that was made there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tiller_messages::{ActionChunk, ExecutionMode, ExecutionState};
use tiller_recording::Recording;

use crate::common::root;

/// Outputs that are recorded.
const TOPICS: [&str; 3] = [
    "franka-actuator/execution_state",
    "franka-actuator/safety_event",
    "steered-sampler/action_chunk",
];

/// `dataflows/distributed.yml` with a recorder on the robot's machine, in a run's folder.
pub(crate) fn beside(run: &Path) -> PathBuf {
    let text = fs::read_to_string(root().join("dataflows/distributed.yml")).unwrap();
    // No `backpressure`: it would send what it is asked of another way than in a run that nobody records. And no timer,
    // for a recorder ends when nobody sends any more.
    let input = |topic: &&str| {
        let name = topic.replace('/', "___");
        format!("      {name}: {{ source: {topic}, queue_size: 1024 }}\n")
    };
    let topics: BTreeMap<String, &str> = TOPICS
        .iter()
        .map(|topic| (topic.replace('/', "___"), *topic))
        .collect();
    let topics = serde_json::to_string(&topics).unwrap();
    let recorder = format!(
        "\n  - id: record\n    deploy: {{ labels: {{ robot: \"true\" }} }}\n    path: \
         ../../target/release/dora-record-node\n    env:\n      DORA_RECORD_FILE: \"{}\"\n      \
         DORA_RECORD_TOPICS: '{topics}'\n    inputs:\n{}",
        run.join("run.drec").display(),
        TOPICS.iter().map(input).collect::<String>(),
    );
    let text = text.replace("strict_types: true", "strict_types: false") + &recorder;
    let file = run.join("distributed.yml");
    fs::write(&file, text).unwrap();
    symlink(root().join("dataflows/types"), run.join("types")).unwrap();
    file
}

/// A chunk that was executed.
#[derive(Debug)]
pub(crate) struct Executed {
    #[allow(dead_code, reason = "told where something is wrong")]
    pub(crate) seq: u64,
    /// When the first state of its execution was sent, since 1970.
    pub(crate) began: Duration,
    /// How old its observation was then, by the robot's clock, ms.
    pub(crate) age_ms: u64,
}

/// A state of the actuator.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) sent: Duration,
    pub(crate) is_at_rest: bool,
}

/// What is in it.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) executed: Vec<Executed>,
    states: Vec<State>,
}

impl Record {
    /// Reads the recording in a run's folder.
    pub(crate) fn read(run: &Path) -> Self {
        let mut recording = Recording::open(&run.join("run.drec")).unwrap();
        let mut record = Self::default();
        let mut stamps = BTreeMap::new();
        let mut states = Vec::new();
        while let Some(entry) = recording.next_entry() {
            if entry.is("steered-sampler", "action_chunk") {
                let chunk: ActionChunk = entry.open().unwrap().message().unwrap();
                stamps.insert((chunk.session, chunk.seq), chunk.stamp_ns);
            } else if entry.is("franka-actuator", "execution_state") {
                let sent = entry.open().unwrap();
                let state: ExecutionState = sent.message().unwrap();
                states.push((Duration::from_nanos(sent.sent_ns()), state));
            }
        }
        assert!(recording.broken().is_none(), "{:?}", recording.broken());
        let mut under_way = (0, 0);
        for (sent, state) in states {
            let chunk = (state.chunk_session, state.chunk_seq);
            if chunk != under_way {
                under_way = chunk;
                let stamp_ns = stamps[&chunk];
                record.executed.push(Executed {
                    seq: chunk.1,
                    began: sent,
                    age_ms: state.stamp_ns.saturating_sub(stamp_ns) / 1_000_000,
                });
            }
            record.states.push(State {
                sent,
                is_at_rest: matches!(
                    state.mode,
                    ExecutionMode::Holding | ExecutionMode::Held | ExecutionMode::Ready
                ),
            });
        }
        record
    }

    /// States that were sent then.
    pub(crate) fn states_between(&self, from: Duration, to: Duration) -> Vec<&State> {
        let states = self.states.iter();
        states
            .filter(|state| state.sent >= from && state.sent <= to)
            .collect()
    }

    /// From the first state to the last.
    pub(crate) fn duration(&self) -> Duration {
        let at = |state: Option<&State>| state.map(|state| state.sent).unwrap_or_default();
        at(self.states.last()).saturating_sub(at(self.states.first()))
    }

    /// The longest that the arm held once it had moved.
    pub(crate) fn longest_hold(&self) -> Duration {
        let begin = self
            .executed
            .first()
            .map(|chunk| chunk.began)
            .unwrap_or_default();
        let mut longest = Duration::ZERO;
        let mut since = None;
        for state in self.states.iter().filter(|state| state.sent >= begin) {
            let held_since = match state.is_at_rest {
                true => *since.get_or_insert(state.sent),
                false => {
                    since = None;
                    continue;
                }
            };
            longest = longest.max(state.sent - held_since);
        }
        longest
    }
}
