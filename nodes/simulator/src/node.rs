//! The node's loop: publish a state, wait for the command that answers it, run it.

use std::time::{Duration, Instant};

use eyre::Result;
use tiller_messages::{ArmCommand, StageCommand, TaskStatus};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Stream};

use crate::config::Settings;
use crate::episode::{Episode, Over};
use crate::images::{Images, PERIOD_NS};
use crate::lockstep::Lockstep;
use crate::pacer::Pacer;

/// Without commands the arm cannot be held.
pub const ESSENTIAL: &[&str] = &["arm_command"];

/// Wall time after which a state without an answer is sent again.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// Runs one episode.
///
/// # Errors
/// When the world does not start or fails, an input is no message of its kind, or dora does not take
/// what is sent.
pub fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let world = Lockstep::new(settings)?;
    let images = Images::new(settings.kind.info(), settings.image_side);
    if settings.tasks.is_empty() {
        tracing::warn!("the instruction is no task that the world knows: no success is seen");
    }
    let mut node = Node {
        world,
        images,
        episode: Episode::new(settings.episode_ns),
        pacer: Pacer::new(settings.speed),
        commands: Stream::new("arm_command"),
        stages: Stream::new("stage"),
        answer: None,
        asked_at: Instant::now(),
        states_sent: 0,
        statuses_sent: 0,
        status: None,
        repeats: 0,
    };
    node.publish(outbox)?;
    loop {
        match inbox.wait_at_most(node.time_left(Instant::now())) {
            Next::Input(input) => node.take(&input)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
        if let Some(over) = node.go_on(outbox)? {
            let time_s = node.world.time_ns() as f64 * 1e-9;
            tracing::info!("{} after {time_s:.1} s", over.reason());
            return Ok(());
        }
    }
}

struct Node {
    world: Lockstep,
    images: Images,
    episode: Episode,
    pacer: Pacer,
    commands: Stream<ArmCommand>,
    stages: Stream<StageCommand>,
    /// The command that answers the present state, until its time has come.
    answer: Option<ArmCommand>,
    asked_at: Instant,
    states_sent: u64,
    statuses_sent: u64,
    /// Success and completed tasks, as last told.
    status: Option<(bool, Vec<String>)>,
    repeats: u64,
}

impl Node {
    /// How long nothing but an input can happen: until the pending command may run, or the state has
    /// waited long enough for its answer.
    fn time_left(&mut self, now: Instant) -> Duration {
        if self.answer.is_some() {
            return self.pacer.time_left(self.world.time_ns(), now);
        }
        ANSWER_LIMIT.saturating_sub(now.duration_since(self.asked_at))
    }

    /// Takes an input. Ticks only wake the loop.
    fn take(&mut self, input: &Input) -> Result<()> {
        match input.id.as_str() {
            "arm_command" => {
                if let Some(command) = self.commands.read(&input.data)? {
                    self.take_command(command);
                }
            }
            "stage" => {
                if let Some(stage) = self.stages.read(&input.data)? {
                    let ended = stage.finished || stage.gave_up;
                    self.episode.on_program(ended, self.world.time_ns());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_command(&mut self, command: ArmCommand) {
        if command.stamp_ns == self.world.time_ns() {
            self.answer = Some(command);
        } else {
            // The answer to a state that was sent twice and has had its answer.
            tracing::debug!("a command for {} ns came late", command.stamp_ns);
        }
    }

    /// Runs the pending command if its time has come, and publishes what comes of it.
    fn go_on(&mut self, outbox: &mut Outbox) -> Result<Option<Over>> {
        let Some(command) = self.answer.take() else {
            return self.ask_again(outbox);
        };
        let left = self.pacer.time_left(self.world.time_ns(), Instant::now());
        if !left.is_zero() {
            self.answer = Some(command);
            return Ok(None);
        }
        self.world.run(command)?;
        let over = self
            .episode
            .check(self.world.time_ns(), self.world.verdict());
        self.report(over, outbox)?;
        if over.is_none() {
            self.publish(outbox)?;
        }
        Ok(over)
    }

    fn publish(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.send_state(outbox)?;
        if self.world.time_ns().is_multiple_of(PERIOD_NS) {
            self.images.send(self.world.world(), outbox)?;
            // The first look starts a renderer: meanwhile nobody listened for the answer.
            self.asked_at = Instant::now();
        }
        Ok(())
    }

    fn send_state(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.states_sent += 1;
        self.asked_at = Instant::now();
        outbox.send("robot_state", &self.world.robot_state(self.states_sent))
    }

    fn ask_again(&mut self, outbox: &mut Outbox) -> Result<Option<Over>> {
        if self.asked_at.elapsed() >= ANSWER_LIMIT {
            self.repeats += 1;
            tracing::debug!(
                "no answer from the actuator: state sent again ({})",
                self.repeats
            );
            // Nobody may have seen the first images either: the actuator starts with the rest.
            if self.world.time_ns() == 0 {
                self.publish(outbox)?;
            } else {
                self.send_state(outbox)?;
            }
        }
        Ok(None)
    }

    /// Sends the world's verdict when it changes and when the episode ends.
    fn report(&mut self, over: Option<Over>, outbox: &mut Outbox) -> Result<()> {
        let verdict = self.world.verdict();
        let is_news = self.status.as_ref().is_none_or(|(success, completed)| {
            (*success, completed) != (verdict.success, &verdict.completed)
        });
        if over.is_none() && !is_news {
            return Ok(());
        }
        self.statuses_sent += 1;
        let status = TaskStatus {
            seq: self.statuses_sent,
            stamp_ns: self.world.time_ns(),
            task: verdict.tasks.join(","),
            success: verdict.success,
            completed: verdict.completed.clone(),
            episode_over: over.is_some(),
            reason: over
                .map(|over| over.reason().to_owned())
                .unwrap_or_default(),
        };
        self.status = Some((verdict.success, verdict.completed.clone()));
        if over.is_some() {
            for collateral in &verdict.collateral {
                tracing::warn!("collateral: {collateral}");
            }
        }
        outbox.send("task_status", &status)
    }
}

#[cfg(test)]
mod tests;
