//! The node's loop.

use std::time::{Duration, Instant};

use eyre::{Result, WrapErr};
use tiller_messages::{ActionChunk, Level, RewardProgram, StageCommand};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Stream};
use tiller_policy::Policy;
use tiller_sampler::PilotError;
use tiller_steering::SteeringError;

use crate::config::Settings;
use crate::guide::{Guide, Wish};
use crate::planner::Planner;
use crate::schedule::{Due, Schedule, SentChunk};
use crate::senses::Senses;

/// Without eyes, robot, reward or stage there is nothing to plan for.
pub(crate) const ESSENTIAL: &[&str] = &[
    "image",
    "wrist_image",
    "robot_state",
    "keypoints",
    "reward_program",
    "stage",
];

/// Plans in a row that may fail before the node gives up: a bad moment passes, a bad policy does
/// not.
const MAX_FAILURES: u32 = 10;

/// How long to wait for anything before looking at the clock again.
const PATIENCE: Duration = Duration::from_millis(200);

/// Runs until one of the essential inputs ends.
pub(crate) fn run(
    settings: &Settings,
    policy: Policy,
    inbox: &mut Inbox,
    outbox: &mut Outbox,
) -> Result<()> {
    let mut node = Node {
        settings,
        planner: Planner::new(settings, policy)?,
        senses: Senses::new(settings.max_image_age_ns),
        guide: Guide::default(),
        schedule: Schedule::new(settings.answer_limit, settings.ahead),
        programs: Stream::new("reward_program"),
        stages: Stream::new("stage"),
        failures: 0,
    };
    loop {
        match inbox.wait_at_most(PATIENCE) {
            Next::Input(input) => node.take(&input, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                node.report();
                return Ok(());
            }
        }
        node.plan_if_due(outbox)?;
    }
}

struct Node<'a> {
    settings: &'a Settings,
    planner: Planner,
    senses: Senses,
    guide: Guide,
    schedule: Schedule,
    programs: Stream<RewardProgram>,
    stages: Stream<StageCommand>,
    failures: u32,
}

impl Node<'_> {
    fn take(&mut self, input: &Input, outbox: &mut Outbox) -> Result<()> {
        let sensed = self.senses.take(input)?;
        if matches!(input.id.as_str(), "image" | "wrist_image") && self.planner.remembers() {
            self.remember(outbox)?;
        }
        match input.id.as_str() {
            "reward_program" => {
                if let Some(program) = self.programs.read(&input.data)? {
                    self.guide.on_program(program);
                }
            }
            "stage" => {
                if let Some(command) = self.stages.read(&input.data)? {
                    self.guide.on_stage(command);
                }
            }
            other if !sensed => tracing::warn!("input `{other}` is unknown"),
            _ => {}
        }
        let changed = self.guide.follow(self.planner.pilot(), &self.senses)?;
        if changed {
            self.planner.forget_plan();
            if self.settings.steer {
                self.interrupt(outbox)?;
            }
        }
        if input.id == "keypoints" {
            self.send_progress(outbox)?;
        }
        Ok(())
    }

    /// Shows the policy what is seen between two plans.
    fn remember(&mut self, outbox: &mut Outbox) -> Result<()> {
        let seen = match self.senses.moment(0, false)? {
            Some(moment) => self.planner.observe(&moment),
            None => Ok(()),
        };
        seen.or_else(|error| self.fail("no_observation", error, outbox))
    }

    /// What is left of the chunk under way leads to another goal: the next one takes over as soon
    /// as it can. Where it cannot, or no goal is left, the arm comes to rest.
    fn interrupt(&mut self, outbox: &mut Outbox) -> Result<()> {
        let Some(state) = self.senses.state() else {
            return Ok(());
        };
        if !self.schedule.is_under_way() {
            return Ok(());
        }
        let goes_on = matches!(self.guide.wish(), Wish::Plan { .. });
        if goes_on && self.schedule.goal_changed() {
            return Ok(());
        }
        let rest = self.planner.rest(state);
        self.note_sent(&rest, false);
        outbox.send("action_chunk", &rest)
    }

    fn note_sent(&mut self, chunk: &ActionChunk, is_plan: bool) {
        let chunk = SentChunk {
            seq: chunk.seq,
            execute_steps: chunk.execute_steps,
            rate_hz: chunk.rate_hz,
            is_plan,
        };
        self.schedule.sent(chunk, Instant::now());
    }

    fn send_progress(&mut self, outbox: &mut Outbox) -> Result<()> {
        let (Some(keypoints), Some(state)) = (self.senses.keypoints(), self.senses.state()) else {
            return Ok(());
        };
        let points = self.senses.points();
        match self.planner.progress(keypoints.stamp_ns, &points, state) {
            Ok(Some(progress)) => outbox.send("progress", &progress),
            Ok(None) => Ok(()),
            Err(error) => self.fail("no_progress", error, outbox),
        }
    }

    fn plan_if_due(&mut self, outbox: &mut Outbox) -> Result<()> {
        let Some(state) = self.senses.state() else {
            return Ok(());
        };
        let Due::Now { since_ns, joint } = self.schedule.due(state, Instant::now()) else {
            return Ok(());
        };
        let guidance = match (self.settings.steer, self.guide.wish()) {
            (true, Wish::Plan { guidance, .. }) => guidance,
            (true, Wish::Wait | Wish::Rest) => return Ok(()),
            (false, _) => false,
        };
        let Some(moment) = self.senses.moment(since_ns, guidance)? else {
            return Ok(());
        };
        let started = Instant::now();
        let (plan, chunk, candidates) = match self.planner.plan(&moment, guidance, joint) {
            Ok(planned) => planned,
            Err(error) => {
                let code = match error.downcast_ref() {
                    Some(PilotError::Steering(SteeringError::AllLost { .. })) => {
                        "all_particles_lost"
                    }
                    _ => "no_plan",
                };
                return self.fail(code, error, outbox);
            }
        };
        self.failures = 0;

        let stamp_ns = moment.stamp_ns;
        outbox.send("action_chunk", &chunk)?;
        self.note_sent(&chunk, true);
        tracing::info!(
            "chunk {}: stage {}, planned progress {:.2}, strength {:.2}, {} ms",
            chunk.seq,
            chunk.stage,
            plan.reading.planned,
            plan.strength,
            started.elapsed().as_millis()
        );
        outbox.send("candidates", &candidates)?;
        if plan.lost > 0 {
            let text = format!(
                "chunk {}: particles were dropped {} times because something about them was not \
                 finite; the best of those left is executed",
                chunk.seq, plan.lost
            );
            tracing::warn!("{text}");
            outbox.tell(Level::Warning, "particles_lost", text)?;
        }
        match self.planner.message(stamp_ns, &plan.reading) {
            Some(progress) => outbox.send("progress", &progress),
            None => Ok(()),
        }
    }

    /// Nothing is sent but the status: the arm holds once it has executed what it has, until a later
    /// moment goes better.
    fn fail(&mut self, code: &str, error: eyre::Report, outbox: &mut Outbox) -> Result<()> {
        self.failures += 1;
        let text = format!("{error:#} ({} in a row)", self.failures);
        tracing::warn!("{text}");
        if self.failures < MAX_FAILURES {
            return outbox.tell(Level::Warning, code, text);
        }
        outbox.tell(Level::Error, code, text)?;
        Err(error).wrap_err_with(|| format!("{MAX_FAILURES} failures in a row"))
    }

    fn report(&self) {
        tracing::debug!(
            "{} images too old, {} chunks not taken up",
            self.senses.dropped_images(),
            self.schedule.unanswered()
        );
    }
}

#[cfg(test)]
mod tests;
