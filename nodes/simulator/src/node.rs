//! The node's loop: publish a state, wait for the command that answers it, run it.

use std::time::{Duration, Instant};

use eyre::Result;
use tiller_messages::{ArmCommand, StageCommand, TaskStatus};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Stream};
use tiller_playtable::Task;

use crate::config::Settings;
use crate::episode::{Episode, Over};
use crate::images::{Images, PERIOD_NS};
use crate::pacer::Pacer;
use crate::world::World;

/// Without commands the arm cannot be held.
pub(crate) const ESSENTIAL: &[&str] = &["arm_command"];

/// Wall time after which a state without an answer is sent again.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// Runs one episode.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let mut world = World::new(settings)?;
    let images = Images::new(world.table(), settings.image_side)?;
    if settings.tasks.is_empty() {
        tracing::warn!("the instruction is no task that the oracle knows: no success is seen");
    }
    let mut node = Node {
        settings,
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
        match inbox.wait_at_most(ANSWER_LIMIT) {
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

struct Node<'a> {
    settings: &'a Settings,
    world: World,
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
    status: Option<(bool, Vec<String>)>,
    repeats: u64,
}

impl Node<'_> {
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
        if !self.pacer.is_due(self.world.time_ns(), Instant::now()) {
            self.answer = Some(command);
            return Ok(None);
        }
        self.world.run(command)?;
        let over = self
            .episode
            .check(self.world.time_ns(), self.world.succeeded());
        self.report(over, outbox)?;
        if over.is_none() {
            self.publish(outbox)?;
        }
        Ok(over)
    }

    fn publish(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.send_state(outbox)?;
        if self.world.time_ns().is_multiple_of(PERIOD_NS) {
            self.images.send(self.world.table(), outbox)?;
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

    /// Sends the oracle's view when it changes and when the episode ends.
    fn report(&mut self, over: Option<Over>, outbox: &mut Outbox) -> Result<()> {
        let view = (self.world.succeeded(), self.world.completed());
        if over.is_none() && self.status.as_ref() == Some(&view) {
            return Ok(());
        }
        self.status = Some(view.clone());
        self.statuses_sent += 1;
        let status = TaskStatus {
            seq: self.statuses_sent,
            stamp_ns: self.world.time_ns(),
            task: names(&self.settings.tasks),
            success: view.0,
            completed: view.1,
            episode_over: over.is_some(),
            reason: over
                .map(|over| over.reason().to_owned())
                .unwrap_or_default(),
        };
        outbox.send("task_status", &status)
    }
}

/// As the setting `TASK` takes them.
fn names(tasks: &[Task]) -> String {
    let names: Vec<_> = tasks.iter().map(|task| task.name()).collect();
    names.join(",")
}

#[cfg(test)]
mod tests;
