//! The node's loop: messages to events of the actuator's machine, its effects to messages.

use std::time::Duration;

use eyre::{Result, bail};
use tiller_closed_loop::journal::{Header, Machine as Recorded, Pending, Pieces, Recorder};
use tiller_closed_loop::{ActuatorEffect, ActuatorEvent, Guard, Source, driven_config};
use tiller_messages::{ActionChunk, ArmState, Episode, Level, Message, Order, StageCommand};
use tiller_motion::ActuatorConfig;
use tiller_node_kit::{Inbox, Input, Next, Outbox, Refused, Stream};

use crate::arms::{Body, DrivenBody};
use crate::config::Settings;
use crate::driven::Driven;
use crate::lockstep::Lockstep;
use crate::signals;
use crate::watched::Watched;

/// Without states there is nothing to move. Chunks are essential too, but their end is no reason
/// to drop the arm: it is brought to rest first.
pub const ESSENTIAL: &[&str] = &["sim_arm_state"];

const INPUTS: &[&str] = &[
    "action_chunk",
    "sim_arm_state",
    "episode",
    "stop",
    "pause",
    "resume",
    "arm",
    "image",
    "*_image",
    "keypoints",
    "program_contract",
    "stage",
];

/// What is refused tends to come again: these kinds are told at once, then at most once a second.
const REFUSALS: &[&str] = &[
    "message_refused",
    "state_refused",
    "arm_missed",
    "step_shortened",
    "other_episode",
    "not_accepting",
    "held",
    "paused",
    "not_finite",
    "malformed",
    "stale",
    "from_future",
    "out_of_order",
];

/// What moves the arm: the actuator's machine, here or on a thread of its own.
pub trait Machine {
    /// How long to wait for anything before looking at the clock again.
    fn patience(&self) -> Duration;

    /// Takes an event at `now_ns`; appends what there is to be told.
    fn on(
        &mut self,
        event: ActuatorEvent,
        now_ns: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) -> Result<()>;

    /// Whether the arm stands still for good, or never moved.
    fn is_stopped(&self) -> bool;

    /// Lets the arm go, brought to rest first where there is a reason to.
    fn finish(
        &mut self,
        reason: Option<String>,
        now_ns: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) -> Result<()>;
}

/// The output on which the journal goes out, where the dataflow declares it.
const JOURNAL: &str = "journal";

/// Runs until the arm's states end, or until it has come to rest after the chunks ended or the
/// dataflow was told to stop.
///
/// # Errors
/// When the arm cannot be used, or dora is lost.
pub fn run(settings: Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    inbox.announce_end_of("action_chunk");
    signals::listen()?;
    let watched = Watched::new(&settings.watch, outbox.wired_inputs());
    for source in watched.unwired() {
        let text = format!("`{source}` is not wired to this node: nobody misses it");
        outbox.tell(Level::Warning, "not_watched", text)?;
    }
    let guard = &watched.guard(&settings.guard);
    let has_journal =
        |default: bool| settings.journal.unwrap_or(default) && outbox.declares(JOURNAL);
    let (machine, pieces): (Box<dyn Machine>, _) = match settings.arm.open(guard.requires_arming)? {
        Body::Simulated => {
            let (journal, pieces) = begin(has_journal(true), settings.actuator, guard, false)?;
            let machine = Lockstep::new(settings.actuator, guard, journal);
            (Box::new(machine), pieces)
        }
        Body::Driven(body) => {
            let DrivenBody {
                driver,
                mut limits,
                real_time,
            } = *body;
            settings.cell.bound(&mut limits);
            let config = ActuatorConfig {
                limits,
                ..settings.actuator
            };
            let heard = driven_config(config, driver.period_ms());
            let (journal, pieces) = begin(has_journal(false), heard, guard, true)?;
            let machine = Driven::new(driver, config, guard, real_time, journal)?;
            (Box::new(machine), pieces)
        }
    };
    let mut node = Node {
        machine,
        chunks: Stream::default(),
        states: Stream::default(),
        episodes: Stream::default(),
        stages: Stream::default(),
        watched,
        effects: Vec::new(),
        pieces,
        ending: false,
    };
    let mut is_told_to_end = false;
    loop {
        let next = inbox.wait_at_most(node.machine.patience());
        let now_ns = inbox.now_ns();
        match next {
            Next::Input(input) => node.take(&input, now_ns, outbox)?,
            Next::Ended(end) => {
                tracing::info!("{end}: the arm is brought to rest");
                node.stop(&end.to_string(), now_ns, outbox)?;
            }
            Next::Idle => node.on(ActuatorEvent::Time, now_ns, outbox)?,
            Next::End(end) => return node.finish(Some(end.to_string()), now_ns, outbox),
        }
        if !node.ending && signals::is_end_asked() {
            is_told_to_end = true;
            node.stop("told to end by a signal", now_ns, outbox)?;
        }
        if node.ending && node.machine.is_stopped() {
            tracing::info!("the arm is at rest");
            node.finish(None, now_ns, outbox)?;
            if is_told_to_end {
                // Whoever looks for why the run has ended finds it.
                bail!("told to end by a signal; the arm is at rest");
            }
            return Ok(());
        }
        let due = node.pieces.as_mut().and_then(|pieces| pieces.due(now_ns));
        due.map_or(Ok(()), |piece| outbox.send(JOURNAL, piece))?;
    }
}

/// A journal, if there is to be one, and its way out.
fn begin(
    is_wanted: bool,
    config: ActuatorConfig,
    guard: &Guard,
    is_driven: bool,
) -> Result<(Option<Recorder<Pending>>, Option<Pieces>)> {
    if !is_wanted {
        return Ok((None, None));
    }
    let (recorder, pieces) = Pieces::new(&Header {
        software: env!("CARGO_PKG_VERSION").to_owned(),
        machine: Recorded::Actuator(Box::new(config), guard.clone(), is_driven),
    })?;
    Ok((Some(recorder), Some(pieces)))
}

struct Node {
    machine: Box<dyn Machine>,
    chunks: Stream<ActionChunk>,
    states: Stream<ArmState>,
    episodes: Stream<Episode>,
    stages: Stream<StageCommand>,
    watched: Watched,
    effects: Vec<ActuatorEffect>,
    /// The journal's way out, where one is kept.
    pieces: Option<Pieces>,
    ending: bool,
}

impl Node {
    fn take(&mut self, input: &Input, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        // Pictures are not looked at, nor what else only shows that its sender lives.
        if let Some(source) = self.watched.source(&input.id) {
            return self.on(ActuatorEvent::Heard(source), now_ns, outbox);
        }
        let event = match input.id.as_str() {
            "action_chunk" => self
                .chunks
                .read_any_numbers(input)
                .map(|read| read.map(ActuatorEvent::Chunk)),
            "sim_arm_state" => self
                .states
                .read_any_numbers(input)
                .map(|read| read.map(ActuatorEvent::Measured)),
            "episode" => self
                .episodes
                .read(input)
                .map(|read| read.map(|episode| ActuatorEvent::Episode(episode.id))),
            "stage" => self.stages.read(input).map(|read| {
                let is_over = |stage: &StageCommand| stage.finished || stage.gave_up;
                read.filter(is_over)
                    .map(|_| ActuatorEvent::Quiet(Source::Chunk))
            }),
            "stop" | "pause" | "resume" | "arm" => return self.obey(input, now_ns, outbox),
            _ => Ok(None),
        };
        match event {
            Ok(Some(event)) => self.on(event, now_ns, outbox),
            Ok(None) => Ok(()),
            Err(refused) => self.refuse(&refused, now_ns, outbox),
        }
    }

    /// Does what an operator wants, whatever the message carries: a stop is never refused for its form.
    /// Where it carries a number, that is acknowledged.
    fn obey(&mut self, input: &Input, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let order = Order::from_arrow(input.data.as_array().as_ref()).ok();
        let words = order.as_ref().map(|order| order.reason.clone());
        let words = words.filter(|words| !words.is_empty());
        let reason = words.unwrap_or_else(|| format!("requested by input `{}`", input.id));
        let event = match input.id.as_str() {
            "resume" => ActuatorEvent::Resume,
            "arm" => ActuatorEvent::Arm,
            "pause" => ActuatorEvent::Pause { reason },
            _ => ActuatorEvent::Stop { reason },
        };
        self.on(event, now_ns, outbox)?;
        match order {
            Some(order) => self.on(ActuatorEvent::Ordered(order.id), now_ns, outbox),
            None => Ok(()),
        }
    }

    fn refuse(&mut self, refused: &Refused, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let event = ActuatorEvent::Refused {
            kind: "message_refused".to_owned(),
            text: refused.to_string(),
        };
        self.on(event, now_ns, outbox)
    }

    fn stop(&mut self, reason: &str, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        self.ending = true;
        let reason = reason.to_owned();
        self.on(ActuatorEvent::Stop { reason }, now_ns, outbox)
    }

    /// Feeds the machine and does what it says.
    fn on(&mut self, event: ActuatorEvent, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let mut effects = std::mem::take(&mut self.effects);
        self.machine.on(event, now_ns, &mut effects)?;
        self.tell(effects, outbox)
    }

    /// Sends what there is to be told.
    fn tell(&mut self, mut effects: Vec<ActuatorEffect>, outbox: &mut Outbox) -> Result<()> {
        for effect in effects.drain(..) {
            match effect {
                ActuatorEffect::Command(command) => outbox.send("arm_command", command)?,
                // The driver had it.
                ActuatorEffect::Setpoint(..) => {}
                ActuatorEffect::Arm(arm) => outbox.send("arm_state", renumbered(arm))?,
                ActuatorEffect::Execution(state) => outbox.send("execution_state", state)?,
                ActuatorEffect::Safety(mut event) => {
                    if REFUSALS.contains(&event.kind.as_str()) {
                        let Some(count) = outbox.refusal_to_tell(&event.kind) else {
                            continue;
                        };
                        event.text = format!("{} ({count} so far)", event.text);
                    }
                    tracing::warn!("{}: {}", event.kind, event.text);
                    outbox.send("safety_event", event)?;
                }
                ActuatorEffect::Tell(notice) => {
                    outbox.tell(notice.level, &notice.code, notice.text)?;
                }
            }
        }
        self.effects = effects;
        Ok(())
    }

    fn finish(&mut self, reason: Option<String>, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let mut effects = std::mem::take(&mut self.effects);
        self.machine.finish(reason, now_ns, &mut effects)?;
        self.tell(effects, outbox)?;
        let rest = self.pieces.as_mut().and_then(Pieces::rest);
        rest.map_or(Ok(()), |piece| outbox.send(JOURNAL, piece))
    }
}

/// The simulator's number was for this node alone: on this output the state gets the next one.
fn renumbered(arm: ArmState) -> ArmState {
    ArmState {
        session: 0,
        seq: 0,
        ..arm
    }
}

#[cfg(test)]
mod tests;
