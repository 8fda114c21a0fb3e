//! How a run ended, from what the nodes said.

use std::collections::BTreeMap;

use serde::Serialize;
use tiller_core::{EpisodeId, MAX_STATUS, clip};
use tiller_messages::{Level, SafetyEvent, Status, TaskStatus};
use tiller_report::Summary;

use crate::cadence::Cadence;
use crate::latency::Latencies;
use crate::motion::Motion;

/// Waits that a summary lists at most.
const MAX_WAITS: usize = 100;

/// How a run ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The oracle saw the task achieved.
    Success,
    /// The time was up, or the program had ended, without that.
    Timeout,
    /// The instruction, or the program written for it, was refused.
    Refused,
    /// A node failed.
    Failed,
    /// Somebody stopped the run.
    Stopped,
    /// It goes on; or this node was killed, and nobody wrote how it ended.
    Running,
}

impl Verdict {
    /// The word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Running => "running",
        }
    }
}

/// What was heard of the run's end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    task: Option<TaskStatus>,
    refusal: Option<String>,
    failure: Option<String>,
    stopped: bool,
}

/// The summary as it stands in `summary.json`: the report's own, with the verdict and the task.
#[derive(Debug, Serialize)]
pub(crate) struct RunSummary {
    /// How it ended.
    pub(crate) outcome: Verdict,
    /// The task that the oracle watched for; empty if there was none.
    pub(crate) task: String,
    /// What was moved or touched beside the task.
    pub(crate) collateral: Vec<String>,
    /// What was being waited for at the end, by node.
    pub(crate) waiting_for: BTreeMap<String, String>,
    /// Who was waited for, how long, and what came of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) waited: Vec<String>,
    /// What a robot that tells of itself went through, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) robot: Option<String>,
    /// Whether the arm kept moving.
    pub(crate) motion: Motion,
    /// Whether the control loop kept its rhythm.
    pub(crate) control: Cadence,
    /// How old what was planned from is, and how long it takes to the arm.
    pub(crate) latencies: Latencies,
    /// What nodes said on the way.
    pub(crate) notices: Notices,
    /// The summary that this node had written when it was killed and started anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before_restart: Option<serde_json::Value>,
    /// Episodes before the one that everything else is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) episodes: Vec<EpisodeEntry>,
    /// Everything else.
    #[serde(flatten)]
    pub(crate) summary: Summary,
}

/// An episode that is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct EpisodeEntry {
    /// Its number.
    #[serde(skip)]
    pub(crate) id: EpisodeId,
    /// What the robot was told.
    pub(crate) instruction: String,
    /// Of the scene.
    pub(crate) seed: u64,
    /// How it ended.
    pub(crate) outcome: Verdict,
    /// Why.
    pub(crate) reason: String,
}

impl EpisodeEntry {
    /// The world's last word outdoes what was made of its silence.
    pub(crate) fn on_late_word(&mut self, status: &TaskStatus) {
        let verdict = match (status.success, status.episode_over) {
            (true, _) => Verdict::Success,
            (false, true) if self.outcome == Verdict::Failed => Verdict::Timeout,
            _ => return,
        };
        self.outcome = verdict;
        self.reason.clone_from(&status.reason);
    }
}

/// What nodes said of a run beside how it ended: how often, by code.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Notices {
    /// Warnings and errors of statuses.
    warnings: BTreeMap<String, u64>,
    /// Safety events.
    safety: BTreeMap<String, u64>,
    /// Messages that this node could not read, by input.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unread: BTreeMap<String, u64>,
    /// How often nodes were started anew.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    restarts: BTreeMap<String, u64>,
    /// What nodes wait for, by node.
    #[serde(skip)]
    waiting: BTreeMap<String, String>,
    /// Waits that are over.
    #[serde(skip)]
    waited: Vec<String>,
    /// The newest word of the robot.
    #[serde(skip)]
    robot: Option<String>,
}

impl Notices {
    /// Takes a node's word.
    pub(crate) fn on_status(&mut self, status: &Status) {
        if status.level != Level::Info {
            *self.warnings.entry(status.code.clone()).or_default() += 1;
        }
        match status.code.as_str() {
            "waiting" => {
                self.waiting
                    .insert(status.node.clone(), status.text.clone());
            }
            // A run may have any number of episodes.
            "waited" if self.waited.len() < MAX_WAITS => self.waited.push(status.text.clone()),
            "robot" => self.robot = Some(status.text.clone()),
            "waiting_over" | "program" => {
                self.waiting.remove(&status.node);
            }
            _ => {}
        }
    }

    /// Takes note of a node that was started anew so many times.
    pub(crate) fn on_restart(&mut self, node: &str, times: u64) {
        *self.restarts.entry(node.to_owned()).or_default() += times;
        let code = "node_restarted".to_owned();
        *self.warnings.entry(code).or_default() += times;
    }

    /// Takes note of a message that could not be read.
    pub(crate) fn on_refusal(&mut self, input: &str) {
        *self.unread.entry(input.to_owned()).or_default() += 1;
    }

    /// What nodes wait for, by node.
    pub(crate) fn waiting_for(&self) -> BTreeMap<String, String> {
        self.waiting.clone()
    }

    /// Who was waited for, and how long.
    pub(crate) fn waited(&self) -> Vec<String> {
        self.waited.clone()
    }

    /// Warnings and errors, by code.
    pub(crate) fn warnings(&self) -> BTreeMap<String, u64> {
        self.warnings.clone()
    }

    /// Safety events, by kind.
    pub(crate) fn safety(&self) -> BTreeMap<String, u64> {
        self.safety.clone()
    }

    /// What a robot went through.
    pub(crate) fn robot(&self) -> Option<String> {
        self.robot.clone()
    }

    /// Takes the actuator's word.
    pub(crate) fn on_event(&mut self, event: &SafetyEvent) {
        *self.safety.entry(event.kind.clone()).or_default() += 1;
    }
}

impl Ending {
    /// Takes the oracle's word.
    pub(crate) fn on_task(&mut self, status: TaskStatus) {
        self.task = Some(status);
    }

    /// Takes a node's word.
    pub(crate) fn on_status(&mut self, status: &Status) {
        // What an author says ends the run; what others say is a matter of the moment.
        let is_author = ["refused", "invalid_program", "hold"].contains(&status.code.as_str());
        if status.level == Level::Error && is_author {
            self.refusal.get_or_insert_with(|| status.text.clone());
        }
    }

    /// Another episode: what was said of the one before is no reason any more.
    pub(crate) fn on_episode(&mut self) {
        self.task = None;
        self.refusal = None;
    }

    /// Somebody stops the run.
    pub(crate) fn on_stop(&mut self) {
        self.stopped = true;
    }

    /// Takes note of a failure; the first one is the cause of those that follow. What fails after
    /// the episode has nothing to do with how it went.
    pub(crate) fn on_failure(&mut self, text: String) {
        if self.task.as_ref().is_some_and(|task| task.episode_over) {
            return;
        }
        self.failure
            .get_or_insert_with(|| clip(&text, MAX_STATUS).into_owned());
    }

    /// Whether it is known why the run ended.
    pub(crate) fn is_explained(&self) -> bool {
        let over = self
            .task
            .as_ref()
            .is_some_and(|task| task.success || task.episode_over);
        over || self.refusal.is_some() || self.failure.is_some()
    }

    /// As [`Ending::verdict`], of a run that goes on.
    pub(crate) fn verdict_so_far(&self, notices: &Notices) -> (Verdict, String) {
        match self.is_explained() {
            true => self.verdict(notices),
            false => (
                Verdict::Running,
                "it goes on, or the run-log was killed".to_owned(),
            ),
        }
    }

    /// The verdict and the reason for it; where time ran out, with what was being waited for.
    pub(crate) fn verdict(&self, notices: &Notices) -> (Verdict, String) {
        let task = self.task.as_ref();
        let reason = |task: &TaskStatus| task.reason.clone();
        if let Some(task) = task.filter(|task| task.success) {
            return (Verdict::Success, reason(task));
        }
        if let Some(text) = &self.refusal {
            return (Verdict::Refused, text.clone());
        }
        if let Some(text) = &self.failure {
            return (Verdict::Failed, text.clone());
        }
        let waiting: Vec<_> = notices
            .waiting
            .iter()
            .map(|(node, text)| format!("{node}: {text}"))
            .collect();
        let waiting = match waiting.as_slice() {
            [] => String::new(),
            all => format!("; {}", all.join("; ")),
        };
        match task.filter(|task| task.episode_over) {
            Some(task) => (Verdict::Timeout, reason(task) + &waiting),
            None if self.stopped => {
                let reason = format!("the run was stopped{waiting}");
                (Verdict::Stopped, reason)
            }
            None => {
                let reason = format!("the run was interrupted{waiting}");
                (Verdict::Failed, reason)
            }
        }
    }

    /// The task's name.
    pub(crate) fn task(&self) -> String {
        self.task
            .as_ref()
            .map(|task| task.tasks.join(","))
            .unwrap_or_default()
    }

    /// What was moved or touched beside the task.
    pub(crate) fn collateral(&self) -> Vec<String> {
        let task = self.task.as_ref();
        task.map(|task| task.collateral.clone()).unwrap_or_default()
    }

    /// All tasks achieved.
    pub(crate) fn completed(&self) -> Vec<String> {
        self.task
            .as_ref()
            .map(|task| task.completed.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(success: bool, episode_over: bool) -> TaskStatus {
        TaskStatus {
            success,
            episode_over,
            reason: "so".into(),
            ..Default::default()
        }
    }

    #[test]
    fn the_oracle_has_the_last_word() {
        let mut ending = Ending::default();
        ending.on_failure("a node died".into());
        ending.on_task(task(true, true));
        assert_eq!(
            ending.verdict(&Notices::default()),
            (Verdict::Success, "so".into())
        );
    }

    #[test]
    fn a_refusal_explains_the_failures_that_follow_it() {
        let mut ending = Ending::default();
        ending.on_task(task(false, false));
        let text = "coffee is not understood".to_owned();
        ending.on_status(&Status {
            level: Level::Error,
            code: "refused".to_owned(),
            text: text.clone(),
            ..Default::default()
        });
        ending.on_failure("vlm-reward failed".into());
        assert_eq!(
            ending.verdict(&Notices::default()),
            (Verdict::Refused, text)
        );
    }

    #[test]
    fn the_first_failure_is_the_reason() {
        let mut ending = Ending::default();
        assert_eq!(
            ending.verdict(&Notices::default()),
            (Verdict::Failed, "the run was interrupted".into())
        );
        ending.on_failure("first".into());
        ending.on_failure("second".into());
        assert_eq!(
            ending.verdict(&Notices::default()),
            (Verdict::Failed, "first".into())
        );
    }

    #[test]
    fn a_failure_before_the_time_was_up_is_the_reason_and_one_after_is_not() {
        let mut ending = Ending::default();
        ending.on_task(task(false, true));
        ending.on_failure("late".into());
        assert_eq!(
            ending.verdict(&Notices::default()),
            (Verdict::Timeout, "so".into())
        );
        let mut ending = Ending::default();
        ending.on_failure("early".into());
        ending.on_task(task(false, true));
        assert_eq!(
            ending.verdict(&Notices::default()),
            (Verdict::Failed, "early".into())
        );
    }
}
