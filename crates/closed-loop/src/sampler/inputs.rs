//! What arrives at the sampler: what cannot be right is refused by name, so that it moves neither a
//! clock nor a plan.

use tiller_core::{EpisodeId, SECOND_NS};
use tiller_messages::{ArmState, Episode, ExecutionState, Keypoints};

use super::{EARLIEST_OBSERVATION, LastPlan, Sampler, SamplerEffect};
use crate::notice::Notice;

impl Sampler {
    pub(super) fn on_observation(&mut self, stamp_ns: u64, effects: &mut Vec<SamplerEffect>) {
        if self.episode.as_ref().is_some_and(|e| stamp_ns < e.stamp_ns) {
            return;
        }
        if self.is_from_future(stamp_ns) {
            return self.refuse_stamp("observation", stamp_ns, effects);
        }
        self.observation_ns = Some(stamp_ns);
        if self.config.policy.observation_steps < 2 {
            return;
        }
        let period_ns = 1e9 / self.config.policy.layout.rate_hz;
        let is_due = self.shown_ns.is_none_or(|last| {
            stamp_ns.saturating_sub(last) as f64 >= EARLIEST_OBSERVATION * period_ns
        });
        if is_due && self.episode.is_some() {
            self.shown_ns = Some(stamp_ns);
            effects.push(SamplerEffect::Observe { stamp_ns });
        }
    }

    pub(super) fn on_arm(&mut self, arm: ArmState, effects: &mut Vec<SamplerEffect>) {
        let values = arm.q_rad.iter().chain(&arm.dq_rad_s);
        let finite = values.chain([&arm.gripper_width_m]).all(|v| v.is_finite());
        if !(finite && arm.tcp.is_valid()) {
            effects.push(SamplerEffect::Tell(Notice::warning(
                "arm_state_refused",
                format!("arm_state: expected finite numbers, found {arm:?}"),
            )));
        } else if self.arm_stamps.accept(arm.stamp_ns) {
            self.arm = Some(arm);
        } else {
            let text = self.arm_stamps.complaint("arm_state", arm.stamp_ns);
            effects.push(SamplerEffect::Tell(Notice::warning(
                "arm_state_refused",
                text,
            )));
        }
    }

    pub(super) fn on_execution(
        &mut self,
        execution: ExecutionState,
        effects: &mut Vec<SamplerEffect>,
    ) {
        for (what, pose) in [
            ("an anchor", &execution.anchor),
            ("a step's start", &execution.step_start),
        ] {
            if !pose.is_valid() {
                let text = format!(
                    "execution_state: expected {what} with a unit quaternion, found {pose:?}"
                );
                let notice = Notice::warning("execution_state_refused", text);
                effects.push(SamplerEffect::Tell(notice));
                return;
            }
        }
        if self.execution_stamps.accept(execution.stamp_ns) {
            self.execution = Some(execution);
            return;
        }
        let stamps = &self.execution_stamps;
        let text = stamps.complaint("execution_state", execution.stamp_ns);
        effects.push(SamplerEffect::Tell(Notice::warning(
            "execution_state_refused",
            text,
        )));
    }

    /// Whether a stamp cannot be right: the arm's clock is the one that counts.
    fn is_from_future(&self, stamp_ns: u64) -> bool {
        let arm = self.arm.as_ref();
        arm.is_some_and(|arm| stamp_ns > arm.stamp_ns.saturating_add(SECOND_NS))
    }

    fn refuse_stamp(&self, what: &str, stamp_ns: u64, effects: &mut Vec<SamplerEffect>) {
        let arm_ns = self.arm.as_ref().map_or(0, |arm| arm.stamp_ns);
        effects.push(SamplerEffect::Tell(Notice::warning(
            &format!("{what}_refused"),
            format!(
                "{what}: expected a stamp at most 1 s after the arm's ({arm_ns} ns), found \
                 {stamp_ns} ns"
            ),
        )));
    }

    pub(super) fn on_keypoints(
        &mut self,
        keypoints: Keypoints,
        now_ns: u64,
        effects: &mut Vec<SamplerEffect>,
    ) {
        if self.is_from_future(keypoints.stamp_ns) {
            return self.refuse_stamp("keypoints", keypoints.stamp_ns, effects);
        }
        self.enter_episode(keypoints.episode, effects);
        if keypoints.episode < self.episode_id() {
            return;
        }
        let held = self.keypoints.as_ref().map(|held| held.stamp_ns);
        if let Some(held_ns) = held
            && keypoints.stamp_ns < held_ns
            && !self.is_from_future(held_ns)
        {
            effects.push(SamplerEffect::Tell(Notice::warning(
                "keypoints_refused",
                format!(
                    "keypoints: expected a stamp from {held_ns} ns on, found {} ns",
                    keypoints.stamp_ns
                ),
            )));
            return;
        }
        if keypoints.visible.contains(&true) {
            self.seen_ns = self.seen_ns.max(keypoints.stamp_ns);
        }
        self.keypoints = Some(keypoints);
        self.follow(now_ns, effects);
        self.send_progress(effects);
    }

    pub(super) fn on_episode(&mut self, episode: Episode, effects: &mut Vec<SamplerEffect>) {
        if self.is_from_future(episode.stamp_ns) {
            // Nothing that is seen would ever belong to it.
            return self.refuse_stamp("episode", episode.stamp_ns, effects);
        }
        self.enter_episode(episode.id, effects);
        if episode.id == self.episode_id() {
            if self.observation_ns.is_some_and(|at| at < episode.stamp_ns) {
                self.observation_ns = None;
            }
            self.episode = Some(episode);
        }
    }

    pub(super) fn episode_id(&self) -> EpisodeId {
        self.episode.as_ref().map(|e| e.id).unwrap_or_default()
    }

    /// Whatever message of a new episode comes first begins it.
    pub(super) fn enter_episode(&mut self, id: EpisodeId, effects: &mut Vec<SamplerEffect>) {
        if id <= self.episode_id() {
            return;
        }
        self.episode = Some(Episode {
            id,
            seed: self.config.seed.unwrap_or_default(),
            ..Default::default()
        });
        self.meter.clear();
        self.goal.clear();
        self.schedule.clear();
        self.keypoints = None;
        self.shown_ns = None;
        self.planned_chunks = 0;
        self.seen_ns = 0;
        self.failures = 0;
        self.failed_ns = None;
        self.last = LastPlan::default();
        self.rehearsal.clear(id);
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.is_void = true;
        }
        effects.push(SamplerEffect::ForgetHistory);
    }
}
