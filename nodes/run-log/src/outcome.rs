//! How a run ended, from what the nodes said.

use std::collections::BTreeMap;

use serde::Serialize;
use tiller_messages::{Level, SafetyEvent, Status, TaskStatus};
use tiller_report::Summary;

use crate::cadence::Cadence;
use crate::motion::Motion;

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
    /// A node failed, or the run was stopped.
    Failed,
}

/// What was heard of the run's end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    task: Option<TaskStatus>,
    refusal: Option<String>,
    failure: Option<String>,
}

/// The summary as it stands in `summary.json`: the report's own, with the verdict and the task.
#[derive(Debug, Serialize)]
pub(crate) struct RunSummary {
    /// How it ended.
    pub(crate) outcome: Verdict,
    /// The task that the oracle watched for; empty if there was none.
    pub(crate) task: String,
    /// Whether the arm kept moving.
    pub(crate) motion: Motion,
    /// Whether the control loop kept its rhythm.
    pub(crate) control: Cadence,
    /// What nodes said on the way.
    pub(crate) notices: Notices,
    /// Everything else.
    #[serde(flatten)]
    pub(crate) summary: Summary,
}

/// What nodes said of a run beside how it ended: how often, by code.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Notices {
    /// Warnings and errors of statuses.
    warnings: BTreeMap<String, u64>,
    /// Safety events.
    safety: BTreeMap<String, u64>,
}

impl Notices {
    /// Takes a node's word.
    pub(crate) fn on_status(&mut self, status: &Status) {
        if status.level != Level::Info {
            *self.warnings.entry(status.code.clone()).or_default() += 1;
        }
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
        if status.level == Level::Error {
            self.refusal.get_or_insert_with(|| status.text.clone());
        }
    }

    /// Takes note of a failure; the first one is the cause of those that follow. What fails after
    /// the episode has nothing to do with how it went.
    pub(crate) fn on_failure(&mut self, text: String) {
        if self.task.as_ref().is_some_and(|task| task.episode_over) {
            return;
        }
        self.failure.get_or_insert(text);
    }

    /// Whether it is known why the run ended.
    pub(crate) fn is_explained(&self) -> bool {
        let over = self
            .task
            .as_ref()
            .is_some_and(|task| task.success || task.episode_over);
        over || self.refusal.is_some() || self.failure.is_some()
    }

    /// The verdict and the reason for it.
    pub(crate) fn verdict(&self) -> (Verdict, String) {
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
        match task.filter(|task| task.episode_over) {
            Some(task) => (Verdict::Timeout, reason(task)),
            None => (Verdict::Failed, "the run was stopped".to_owned()),
        }
    }

    /// The task's name.
    pub(crate) fn task(&self) -> String {
        self.task
            .as_ref()
            .map(|task| task.task.clone())
            .unwrap_or_default()
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
        assert_eq!(ending.verdict(), (Verdict::Success, "so".into()));
    }

    #[test]
    fn a_refusal_explains_the_failures_that_follow_it() {
        let mut ending = Ending::default();
        ending.on_task(task(false, false));
        let text = "coffee is not understood".to_owned();
        ending.on_status(&Status {
            level: Level::Error,
            text: text.clone(),
            ..Default::default()
        });
        ending.on_failure("vlm-reward failed".into());
        assert_eq!(ending.verdict(), (Verdict::Refused, text));
    }

    #[test]
    fn the_first_failure_is_the_reason() {
        let mut ending = Ending::default();
        assert_eq!(
            ending.verdict(),
            (Verdict::Failed, "the run was stopped".into())
        );
        ending.on_failure("first".into());
        ending.on_failure("second".into());
        assert_eq!(ending.verdict(), (Verdict::Failed, "first".into()));
    }

    #[test]
    fn a_failure_before_the_time_was_up_is_the_reason_and_one_after_is_not() {
        let mut ending = Ending::default();
        ending.on_task(task(false, true));
        ending.on_failure("late".into());
        assert_eq!(ending.verdict(), (Verdict::Timeout, "so".into()));
        let mut ending = Ending::default();
        ending.on_failure("early".into());
        ending.on_task(task(false, true));
        assert_eq!(ending.verdict(), (Verdict::Failed, "early".into()));
    }
}
