//! The node's loop.

use eyre::Result;
use tiller_messages::{ActionChunk, RobotState, SafetyEvent};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Stream};

use crate::config::{ArmKind, Settings};
use crate::simulated::Simulated;

/// Without states there is nothing to move. Chunks are essential too, but their end is no reason
/// to drop the arm: it is brought to rest first.
pub(crate) const ESSENTIAL: &[&str] = &["robot_state"];

/// Runs until the arm's states end, or until it has come to rest after the chunks ended.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let ArmKind::Simulation = settings.arm;
    inbox.announce_end_of("action_chunk");
    let mut node = Node {
        arm: Simulated::new(settings.actuator),
        chunks: Stream::new("action_chunk"),
        states: Stream::new("robot_state"),
        events_sent: 0,
        ending: false,
    };
    loop {
        match inbox.wait() {
            Next::Input(input) => node.take(&input, outbox)?,
            Next::Ended(end) => {
                tracing::info!("{end}: the arm is brought to rest");
                node.arm.stop(&end.to_string());
                node.ending = true;
            }
            Next::Idle => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
        node.report(outbox)?;
        if node.ending && node.arm.is_stopped() {
            tracing::info!("the arm is at rest");
            return Ok(());
        }
    }
}

struct Node {
    arm: Simulated,
    chunks: Stream<ActionChunk>,
    states: Stream<RobotState>,
    events_sent: u64,
    ending: bool,
}

impl Node {
    fn take(&mut self, input: &Input, outbox: &mut Outbox) -> Result<()> {
        match input.id.as_str() {
            "action_chunk" => {
                if let Some(chunk) = self.chunks.read(&input.data)? {
                    // The actuator keeps a refusal as an event, which `report` sends.
                    if let Err(refusal) = self.arm.accept(&chunk) {
                        tracing::warn!("{refusal}");
                    }
                }
            }
            "robot_state" => {
                if let Some(state) = self.states.read(&input.data)? {
                    outbox.send("arm_command", &self.arm.answer(&state)?)?;
                }
            }
            // Whatever it carries: a stop is never refused for its form.
            "stop" => {
                tracing::warn!("stop requested");
                self.arm.stop("requested by input `stop`");
            }
            other => tracing::warn!("input `{other}` is unknown"),
        }
        Ok(())
    }

    fn report(&mut self, outbox: &mut Outbox) -> Result<()> {
        for event in self.arm.events() {
            self.events_sent += 1;
            tracing::debug!("{}: {}", event.kind.as_str(), event.text);
            let message = SafetyEvent {
                seq: self.events_sent,
                stamp_ns: event.stamp_ns,
                kind: event.kind.as_str().to_owned(),
                text: event.text,
            };
            outbox.send("safety_event", &message)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
