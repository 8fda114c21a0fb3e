//! The page's state: the run's messages in, sections of JSON out.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tiller_core::{EpisodeId, ProgramId, visible_block, visible_line};
use tiller_messages::{
    Candidates, DryPlan, Episode, ExecutionMode, ExecutionState, Keypoints, Level, Progress,
    Proposal, ProposalState, SafetyEvent, StageCommand, Status, TaskStatus,
};
use tiller_scene::Camera;

use crate::curve::Curve;
use crate::orders::Orders;
use crate::overlay::{Overlay, reward_range};
use crate::seen::Seen;
use crate::under_way::UnderWay;
use crate::{Evaluation, OrderKind, Rewards, TaskList, Verdict};

/// Events that are kept.
const MOST_EVENTS: usize = 60;

/// Instructions that are remembered.
const MOST_HISTORY: usize = 20;

/// Verdicts that are shown.
const MOST_JUDGEMENTS: usize = 50;

/// Characters of a line.
const LINE: usize = 400;

/// A named part of the page; a page gets those that have changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Which.
    pub name: &'static str,
    /// What is in it now.
    pub value: Value,
}

/// What an operator sees of a run. Times are those since the console's start.
#[derive(Debug, Default)]
pub struct Page {
    tasks: TaskList,
    history: VecDeque<String>,
    episode: Option<UnderWay>,
    verdict: Option<TaskStatus>,
    proposal: Option<Proposal>,
    rewards: Option<Rewards>,
    dry_plan: Option<DryPlan>,
    stage: Option<StageCommand>,
    progress: Option<Progress>,
    curve: Curve,
    execution: Option<(ExecutionState, Duration)>,
    orders: Orders,
    events: VecDeque<Event>,
    overlay: Overlay,
    seen: Seen,
    /// The file, where a recording is shown: nobody obeys.
    recording: Option<String>,
}

#[derive(Debug)]
struct Event {
    at: Duration,
    level: &'static str,
    from: String,
    kind: String,
    text: String,
    /// How often it came in a row.
    times: u32,
}

impl Page {
    /// An empty page; instructions can be chosen from `tasks`.
    #[must_use]
    pub fn new(tasks: TaskList) -> Self {
        Self {
            tasks,
            ..Self::default()
        }
    }

    /// The same of a run that is a recording's, which lies in this file.
    #[must_use]
    pub fn of_recording(self, file: Option<&str>) -> Self {
        Self {
            recording: file.map(|file| visible_line(file, LINE)),
            ..self
        }
    }

    /// Whether what is shown was recorded.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// The program that an operator's word can be about.
    #[must_use]
    pub fn proposal(&self) -> Option<&Proposal> {
        self.proposal.as_ref()
    }

    /// What the actuator does.
    #[must_use]
    pub fn execution(&self) -> Option<&ExecutionState> {
        self.execution.as_ref().map(|(state, _)| state)
    }

    /// Whether an operator has the arm rest for a while.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.execution()
            .is_some_and(|state| state.mode == ExecutionMode::Paused)
    }

    /// Where things are.
    #[must_use]
    pub fn keypoints(&self) -> Option<&Keypoints> {
        self.overlay.keypoints()
    }

    /// The episode under way, and for how long.
    #[must_use]
    pub fn episode(&self, now: Duration) -> Option<(&Episode, Duration)> {
        let under_way = self.episode.as_ref()?;
        Some((&under_way.episode, under_way.age(now)))
    }

    /// What the world says of this episode's success; none where it cannot judge.
    #[must_use]
    pub fn oracle(&self, episode: EpisodeId) -> Option<bool> {
        let verdict = self.verdict.as_ref()?;
        (verdict.episode == episode && !verdict.tasks.is_empty()).then_some(verdict.success)
    }

    /// Something came by an input; `stamp_ns` is when it was seen or measured.
    pub fn mark(&mut self, input: &str, stamp_ns: Option<u64>, now: Duration) {
        let arm_ns = self.execution.as_ref().map(|(state, _)| state.stamp_ns);
        let lag_ms = arm_ns
            .zip(stamp_ns)
            .map(|(arm, stamp)| (arm as f64 - stamp as f64) * 1e-6);
        self.seen.mark(input, now, lag_ms);
    }

    /// An episode begins, or is told again.
    pub fn on_episode(&mut self, episode: Episode, now: Duration) {
        if let Some(under_way) = &self.episode
            && episode.id <= under_way.episode.id
        {
            return;
        }
        if !episode.instruction.is_empty() {
            self.remember(&episode.instruction);
        }
        self.verdict = None;
        self.stage = None;
        self.progress = None;
        self.curve.clear();
        self.overlay.clear();
        if self
            .proposal
            .as_ref()
            .is_some_and(|it| it.episode < episode.id)
        {
            self.proposal = None;
        }
        let mut under_way = UnderWay::new(episode, now);
        if let Some((state, _)) = &self.execution {
            under_way.compare(state.stamp_ns, now);
        }
        self.episode = Some(under_way);
    }

    fn remember(&mut self, instruction: &str) {
        self.history.retain(|known| known != instruction);
        self.history.push_front(instruction.to_owned());
        self.history.truncate(MOST_HISTORY);
    }

    /// A program was proposed, or something was decided about it.
    pub fn on_proposal(&mut self, proposal: Proposal) {
        let under_way = self.episode.as_ref().map(|it| it.episode.id);
        if under_way.is_none_or(|id| proposal.episode >= id) {
            self.proposal = Some(proposal);
        }
    }

    /// What a program's stages want has been drawn.
    pub fn on_rewards(&mut self, rewards: Rewards) {
        self.rewards = Some(rewards);
    }

    /// What would come first of a program has been planned.
    pub fn on_dry_plan(&mut self, plan: DryPlan) {
        self.dry_plan = Some(plan);
    }

    /// A stage is under way.
    pub fn on_stage(&mut self, stage: StageCommand) {
        self.stage = Some(stage);
    }

    /// How far it has come.
    pub fn on_progress(&mut self, progress: Progress, now: Duration) {
        self.curve.push(&progress, now);
        self.progress = Some(progress);
    }

    /// What the actuator does.
    pub fn on_execution(&mut self, state: ExecutionState, now: Duration) {
        self.orders.see(&state, now);
        if let Some(under_way) = &mut self.episode {
            under_way.compare(state.stamp_ns, now);
        }
        self.execution = Some((state, now));
    }

    /// An operator's order was sent.
    pub fn on_order(&mut self, id: u64, kind: OrderKind, now: Duration) {
        self.orders.sent(id, kind, now);
    }

    /// Where things are.
    pub fn on_keypoints(&mut self, keypoints: Keypoints) {
        self.overlay.on_keypoints(keypoints);
    }

    /// What the sampler chose from.
    pub fn on_candidates(&mut self, candidates: Candidates) {
        self.overlay.on_candidates(candidates);
    }

    /// A camera's picture came; the camera is none where nobody says where it stands.
    pub fn on_picture(&mut self, input: &str, camera: Option<Camera>) {
        self.overlay.on_picture(input, camera);
    }

    /// What the world says of the tasks.
    pub fn on_task(&mut self, status: TaskStatus) {
        self.verdict = Some(status);
    }

    /// The actuator refused, clamped or stopped something.
    pub fn on_safety(&mut self, event: &SafetyEvent, now: Duration) {
        self.note(now, "safety", "franka-actuator", &event.kind, &event.text);
    }

    /// A node has something to say.
    pub fn on_status(&mut self, status: &Status, now: Duration) {
        let level = match status.level {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        self.note(now, level, &status.node, &status.code, &status.text);
    }

    fn note(&mut self, at: Duration, level: &'static str, from: &str, kind: &str, text: &str) {
        let text = visible_line(text, LINE);
        if let Some(last) = self.events.front_mut()
            && (last.level, last.kind.as_str(), last.text.as_str()) == (level, kind, text.as_str())
        {
            last.at = at;
            last.times += 1;
            return;
        }
        self.events.push_front(Event {
            at,
            level,
            from: visible_line(from, LINE),
            kind: visible_line(kind, LINE),
            text,
            times: 1,
        });
        self.events.truncate(MOST_EVENTS);
    }

    /// Everything that is to be seen now.
    #[must_use]
    pub fn sections(&self, evaluation: Option<&Evaluation>, now: Duration) -> Vec<Section> {
        let section = |name, value| Section { name, value };
        vec![
            section("recording", json!(self.recording)),
            section("arm", self.arm(now)),
            section("orders", self.orders.json(now)),
            section("episode", self.episode_json(now)),
            section("proposal", self.proposal_json()),
            section("rewards", self.rewards_json()),
            section("dry", self.dry_json()),
            section("stage", self.stage_json()),
            section("progress", self.progress_json()),
            section("curve", self.curve.json()),
            section("overlay", self.overlay.json()),
            section("events", self.events_json(now)),
            section("ages", self.seen.json(now)),
            section("instructions", self.instructions()),
            section(
                "evaluation",
                evaluation.map_or(Value::Null, evaluation_json),
            ),
        ]
    }

    fn arm(&self, now: Duration) -> Value {
        let Some((state, seen)) = &self.execution else {
            return Value::Null;
        };
        json!({
            "mode": state.mode.as_str(),
            "takes_chunks": state.mode.takes_chunks(),
            "age_ms": now.saturating_sub(*seen).as_millis() as u64,
            "chunk_seq": state.chunk_seq.to_string(),
            "chunk_step": state.chunk_step,
        })
    }

    fn episode_json(&self, now: Duration) -> Value {
        let Some(under_way) = &self.episode else {
            return Value::Null;
        };
        let episode = &under_way.episode;
        let verdict = self.verdict.as_ref().filter(|it| it.episode == episode.id);
        let visible = |texts: &[String]| -> Vec<String> {
            texts.iter().map(|text| visible_line(text, LINE)).collect()
        };
        json!({
            "id": episode.id.0.to_string(),
            "instruction": visible_line(&episode.instruction, LINE),
            "seed": episode.seed.to_string(),
            "age_s": under_way.age(now).as_secs(),
            "is_age_least": under_way.is_age_least(),
            "tasks": visible(&episode.tasks),
            "oracle": self.oracle(episode.id),
            "is_over": verdict.is_some_and(|it| it.episode_over),
            "reason": verdict.map(|it| visible_line(&it.reason, LINE)),
            "collateral": verdict.map(|it| visible(&it.collateral)),
        })
    }

    fn proposal_json(&self) -> Value {
        let Some(proposal) = &self.proposal else {
            return Value::Null;
        };
        let lines = |texts: &[String]| -> Vec<String> {
            texts.iter().map(|text| visible_line(text, LINE)).collect()
        };
        let blocks = |texts: &[String]| -> Vec<String> {
            let shown = texts.iter().map(|text| visible_block(text).into_owned());
            shown.collect()
        };
        json!({
            "id": proposal.id.0.to_string(),
            "state": proposal.state.as_str(),
            "source": visible_line(&proposal.source, LINE),
            "text": visible_block(&proposal.text),
            "instruction": visible_line(&proposal.instruction, LINE),
            "descriptions": lines(&proposal.descriptions),
            "diagnostics": blocks(&proposal.diagnostics),
            "answers": proposal.answers,
        })
    }

    /// Of the program that is shown alone.
    fn rewards_json(&self) -> Value {
        let rewards = self.rewards.as_ref().zip(self.proposal.as_ref());
        let rewards = rewards.filter(|(rewards, proposal)| rewards.program == proposal.id);
        rewards.map_or(Value::Null, |(rewards, _)| rewards.json())
    }

    /// Of the program that waits for a word alone.
    fn dry_json(&self) -> Value {
        let waiting = self.proposal.as_ref();
        let waiting = waiting.filter(|it| it.state == ProposalState::Proposed);
        let plan = self.dry_plan.as_ref().zip(waiting);
        let Some((plan, _)) = plan.filter(|(plan, proposal)| plan.program == proposal.id) else {
            return Value::Null;
        };
        let rewards = reward_range(&plan.rewards).map(|(low, high)| json!([low, high]));
        json!({
            "program": plan.program.0.to_string(),
            "stage": plan.stage,
            "problem": visible_block(&plan.problem),
            "particles": plan.particles,
            "rewards": rewards,
            "cameras": self.overlay.dry_json(plan),
        })
    }

    fn stage_json(&self) -> Value {
        let Some(stage) = &self.stage else {
            return Value::Null;
        };
        json!({
            "program": stage.program.0.to_string(),
            "stage": stage.stage,
            "visit": stage.visit,
            "guidance": stage.guidance,
            "finished": stage.finished,
            "gave_up": stage.gave_up,
            "kind": visible_line(&stage.kind, LINE),
            "reason": visible_line(&stage.reason, LINE),
        })
    }

    fn progress_json(&self) -> Value {
        let Some(progress) = &self.progress else {
            return Value::Null;
        };
        json!({
            "stage": progress.stage,
            "achieved": progress.achieved,
            "planned": progress.planned,
            "done": progress.done,
            "strength": progress.guidance_strength,
            "reward": progress.reward,
            "ess": progress.ess,
        })
    }

    fn events_json(&self, now: Duration) -> Value {
        let row = |event: &Event| {
            json!({
                "age_s": now.saturating_sub(event.at).as_secs(),
                "level": event.level,
                "from": event.from,
                "kind": event.kind,
                "text": event.text,
                "times": event.times,
            })
        };
        self.events.iter().map(row).collect()
    }

    fn instructions(&self) -> Value {
        let visible = |text: &String| visible_line(text, LINE);
        let tasks: Vec<_> = self.tasks.instructions.iter().map(visible).collect();
        let history: Vec<_> = self.history.iter().map(visible).collect();
        json!({ "tasks": tasks, "history": history })
    }

    /// Whether a program and visit are those that the page shows: a word about others comes too late.
    #[must_use]
    pub fn is_under_way(&self, program: ProgramId, visit: u32) -> bool {
        let stage = self.stage.as_ref();
        stage.is_some_and(|stage| (stage.program, stage.visit) == (program, visit))
    }
}

fn evaluation_json(evaluation: &Evaluation) -> Value {
    let judgements = evaluation.judgements();
    let skipped = judgements.len().saturating_sub(MOST_JUDGEMENTS);
    let rows = judgements.iter().skip(skipped).rev().map(|it| {
        json!({
            "episode": it.episode.to_string(),
            "is_of_this_run": it.run == evaluation.run(),
            "instruction": visible_line(&it.instruction, LINE),
            "verdict": word(it.verdict),
            "note": visible_line(&it.note, LINE),
            "oracle": it.oracle,
            "duration_s": (it.duration_s * 10.0).round() / 10.0,
        })
    });
    let tallies = evaluation.tallies().into_iter().map(|it| {
        json!({
            "task": visible_line(&it.task, LINE),
            "successes": it.successes,
            "trials": it.trials,
            "cancelled": it.cancelled,
            "interval": [it.interval.0, it.interval.1],
        })
    });
    json!({
        "file": visible_line(&evaluation.path().display().to_string(), LINE),
        "unread": evaluation.unread(),
        "judgements": rows.collect::<Vec<_>>(),
        "tallies": tallies.collect::<Vec<_>>(),
    })
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Success => "success",
        Verdict::Fail => "fail",
        Verdict::Cancel => "cancel",
    }
}

#[cfg(test)]
mod tests;
