//! `summary.json`.

use serde::{Deserialize, Serialize};

use crate::record::Recorder;

/// How the run ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether the task oracle saw the task achieved.
    pub success: bool,
    /// Why the run ended.
    pub reason: String,
    /// Names of all tasks that were achieved.
    pub completed: Vec<String>,
}

/// A stretch of time in one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageSpan {
    /// Stage, from 1.
    pub stage: u32,
    /// What the program calls it.
    pub description: String,
    /// Seconds since the start of the record.
    pub start_s: f64,
    /// Seconds since the start of the record.
    pub end_s: f64,
    /// Why the stage was entered.
    pub reason: String,
}

/// A decision of the stage machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionEntry {
    /// Seconds since the start of the record.
    pub time_s: f64,
    /// Stage from then on.
    pub stage: u32,
    /// What was decided.
    pub kind: String,
    /// Why.
    pub reason: String,
}

/// The run in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this layout.
    pub schema: u32,
    /// What the robot was told to do.
    pub instruction: String,
    /// Name of the policy bundle.
    pub policy: String,
    /// Seed of scene and sampling.
    pub seed: u64,
    /// Whether steering was on.
    pub steered: bool,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Length of the record, seconds of simulation or robot time.
    pub duration_s: f64,
    /// Who wrote the reward program.
    pub program_source: String,
    /// Stages in the order in which they were visited.
    pub stages: Vec<StageSpan>,
    /// Everything that the stage machine decided.
    pub decisions: Vec<DecisionEntry>,
    /// Readings of the control loop.
    pub samples: usize,
    /// Files beside this one, this one included.
    pub files: Vec<String>,
}

pub(crate) fn summarise(recorder: &Recorder, outcome: &Outcome, files: Vec<String>) -> Summary {
    let info = recorder.info.clone();
    Summary {
        schema: 1,
        instruction: info.instruction,
        policy: info.policy,
        seed: info.seed,
        steered: info.steered,
        outcome: outcome.clone(),
        duration_s: recorder.seconds(recorder.end_ns()),
        program_source: recorder.program_source.clone(),
        stages: spans(recorder),
        decisions: recorder
            .decisions
            .iter()
            .map(|decision| DecisionEntry {
                time_s: recorder.seconds(decision.stamp_ns),
                stage: decision.stage,
                kind: decision.kind.clone(),
                reason: decision.reason.clone(),
            })
            .collect(),
        samples: recorder.samples.len(),
        files,
    }
}

/// Stage changes, from the decisions or, without any, from the samples.
pub(crate) fn spans(recorder: &Recorder) -> Vec<StageSpan> {
    let changes: Vec<(u64, u32, &str)> = if recorder.decisions.is_empty() {
        recorder
            .samples
            .iter()
            .map(|sample| (sample.stamp_ns, sample.stage, ""))
            .collect()
    } else {
        let entry = |d: &'_ crate::record::Decision| (d.stamp_ns, d.stage);
        recorder
            .decisions
            .iter()
            .map(|d| (entry(d).0, entry(d).1, d.reason.as_str()))
            .collect()
    };
    let mut spans: Vec<StageSpan> = Vec::new();
    let mut current = 0;
    for (stamp_ns, stage, reason) in changes {
        if stage == current {
            continue;
        }
        let time_s = recorder.seconds(stamp_ns);
        if current != 0
            && let Some(last) = spans.last_mut()
        {
            last.end_s = time_s;
        }
        current = stage;
        if stage != 0 {
            spans.push(StageSpan {
                stage,
                description: recorder.stage_name(stage).to_owned(),
                start_s: time_s,
                end_s: recorder.seconds(recorder.end_ns()),
                reason: reason.to_owned(),
            });
        }
    }
    spans
}
