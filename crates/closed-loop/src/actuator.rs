//! The actuator's machine: what the arm measured in, setpoints out, together with what everybody
//! else may know of the arm. An arm in lockstep is answered with the setpoints of a whole period, one
//! that keeps its own time with one a millisecond.

mod answer;
mod driven;
mod lockstep;
mod permission;
mod watch;

use serde::{Deserialize, Serialize};
use tiller_core::{EpisodeId, JOINTS};
use tiller_messages::{ActionChunk, ArmCommand, ArmState, ExecutionState, Message, SafetyEvent};
use tiller_motion::{
    ActionStep, Actuator as Motion, ActuatorConfig, ArmFault, ArmReading, Chunk, Mode, Refusal,
    Setpoint,
};

use answer::Answer;
use permission::Permission;

use crate::convert;
use crate::notice::{Notice, Waiting};
use crate::recovery::RecoveryConfig;
use crate::stamps::StampFilter;
use crate::watchdog::{Source, Watchdog, WatchdogConfig};

/// What the machine is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ActuatorEvent {
    /// A chunk to execute.
    Chunk(ActionChunk),
    /// What the arm measured; every state is answered.
    Measured(ArmState),
    /// Come to rest and stay there.
    Stop {
        /// Who or what asks.
        reason: String,
    },
    /// Motion is allowed again after a stop or a pause.
    Resume,
    /// A millisecond has passed for an arm that keeps its own time: what it measured, if it answered.
    Tick(Option<ArmState>),
    /// An arm that keeps its own time is in another episode.
    Episode(EpisodeId),
    /// Nothing more will be heard: come to rest now, without further states.
    Finish {
        /// What ends.
        reason: String,
    },
    /// Something could not be read or understood; it is reported as a safety event.
    Refused {
        /// A word that machines may test for.
        kind: String,
        /// What was expected and what was found.
        text: String,
    },
    /// Time has passed.
    Time,
    /// An arm that keeps its own time had stopped by itself and is ready again: motion is allowed, and
    /// begins from where it is.
    Recovered,
    /// The arm may move: an operator stands by.
    Arm,
    /// The operator's order of this number was taken; everybody is told at once.
    Ordered(u64),
    /// An arm that keeps its own time could not be read or commanded.
    Failed {
        /// Why it would not move; `None` where it may the next time.
        #[serde(with = "convert::fault")]
        fault: Option<ArmFault>,
        /// What it says.
        text: String,
    },
    /// An arm that keeps its own time is being made ready again.
    Recovering,
    /// Its hand finds out where its fingers are, or has.
    Homing(bool),
    /// Something that is watched was heard.
    Heard(Source),
    /// Nothing more is expected of it until it is heard again.
    Quiet(Source),
    /// The control loop of an arm that keeps its own time took so long for a round, ns.
    Late(u64),
    /// The driver of an arm that keeps its own time made less of a setpoint.
    Clamped {
        /// Of what, a word with its unit.
        quantity: String,
        /// What the arm's own controller takes.
        limit: f64,
        /// What it would have been.
        value: f64,
        /// The same for people.
        text: String,
    },
    /// Come to rest and hold until [`ActuatorEvent::Resume`]: whoever stands by means to go on.
    Pause {
        /// Who or what asks.
        reason: String,
    },
}

/// What a machine demands beyond the limits of motion.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Guard {
    /// Nothing moves until [`ActuatorEvent::Arm`], nor after whatever stops the arm. Default: no.
    pub requires_arming: bool,
    /// What is missed, and what becomes of the arm then. Default: nothing is.
    pub watchdog: WatchdogConfig,
    /// Recovery of an arm that keeps its own time from reflexes, by itself; it stays armed meanwhile.
    /// Default: none.
    pub recovery: Option<RecoveryConfig>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ActuatorEffect {
    /// Move an arm in lockstep.
    Command(ArmCommand),
    /// Where an arm that keeps its own time is to be in a millisecond: joints, rad, and the opening
    /// between the fingers, m.
    Setpoint([f64; JOINTS], f64),
    /// Tell everybody what the arm measured.
    Arm(ArmState),
    /// Tell everybody what the actuator is doing.
    Execution(ExecutionState),
    /// Report what was refused, clamped or stopped.
    Safety(SafetyEvent),
    /// Tell people.
    Tell(Notice),
}

/// Setpoints in a command: one period of the arm's states at 1 kHz.
pub const SETPOINTS: u64 = 20;

/// Time between two setpoints, ns.
const TICK_NS: u64 = 1_000_000;

/// Steps a second of the chunk that brings the arm to rest, Hz.
const REST_RATE_HZ: f64 = 10.0;

/// The machine. See the module's documentation.
#[derive(Debug)]
pub struct Actuator {
    config: ActuatorConfig,
    motion: Option<Motion>,
    episode: EpisodeId,
    /// The answer to the last state.
    answer: Option<Answer>,
    /// The last setpoint sent: joints, rad, and gripper, m.
    held: Option<([f64; JOINTS], f64)>,
    now_ns: u64,
    /// Session of the chunk accepted last.
    chunk_session: u64,
    refused: (u64, u64),
    /// Why motion is not allowed, if it is not.
    stopped: Option<String>,
    permission: Permission,
    watchdog: Watchdog,
    /// The operator's order that was taken last.
    order: u64,
    /// Whether it is an arm that keeps its own time.
    is_driven: bool,
    /// Whether motion begins anew with the next reading: the arm may have been moved by hand.
    begins_anew: bool,
    /// Whether everybody is to be told at the next tick, whatever its number.
    is_due: bool,
    stamps: StampFilter,
    waiting: Waiting,
    /// Whose states are waited for.
    awaited: &'static str,
    /// Milliseconds of an arm that keeps its own time, and the one of which everybody was told last.
    ticks: u64,
    told_tick: Option<u64>,
}

impl Actuator {
    /// A machine that begins with the first measured state.
    #[must_use]
    pub fn new(config: ActuatorConfig) -> Self {
        Self {
            config,
            motion: None,
            episode: EpisodeId(0),
            answer: None,
            held: None,
            now_ns: 0,
            chunk_session: 0,
            refused: (0, 0),
            stopped: None,
            permission: Permission::new(&Guard::default(), false),
            is_driven: false,
            begins_anew: false,
            watchdog: Watchdog::default(),
            order: 0,
            is_due: false,
            stamps: StampFilter::default(),
            waiting: Waiting::default(),
            awaited: "sim_arm_state",
            ticks: 0,
            told_tick: None,
        }
    }

    /// The same that demands what `guard` says.
    #[must_use]
    pub fn guarded(self, guard: &Guard) -> Self {
        Self {
            permission: Permission::new(guard, self.is_driven),
            watchdog: Watchdog::new(guard.watchdog.clone()),
            ..self
        }
    }

    /// Takes an event at `now_ns` of the caller's clock, which only measures how long something has
    /// not come; appends what is to be done.
    pub fn on(&mut self, event: ActuatorEvent, now_ns: u64, effects: &mut Vec<ActuatorEffect>) {
        match event {
            ActuatorEvent::Chunk(chunk) => self.on_chunk(&chunk, effects),
            ActuatorEvent::Measured(state) => self.on_measured(state, effects),
            ActuatorEvent::Tick(state) => self.on_tick(state, now_ns, effects),
            ActuatorEvent::Episode(episode) => self.on_episode(episode, effects),
            ActuatorEvent::Stop { reason } => self.on_stop(reason),
            ActuatorEvent::Pause { reason } => self.on_pause(reason),
            ActuatorEvent::Arm => self.on_arm(effects),
            ActuatorEvent::Ordered(order) => {
                self.order = order;
                self.is_due = true;
            }
            ActuatorEvent::Failed { fault, text } => self.on_failed(fault, text, effects),
            ActuatorEvent::Recovering => self.on_recovering(effects),
            ActuatorEvent::Homing(is_homing) => self.permission.is_homing = is_homing,
            ActuatorEvent::Heard(source) => self.on_heard(source, effects),
            ActuatorEvent::Quiet(source) => self.watchdog.forget(source),
            ActuatorEvent::Late(took_ns) => self.on_late(took_ns, effects),
            ActuatorEvent::Clamped {
                quantity,
                limit,
                value,
                text,
            } => effects.push(ActuatorEffect::Safety(SafetyEvent {
                stamp_ns: self.now_ns,
                kind: "step_shortened".to_owned(),
                chunk_seq: self.chunk_under_way(),
                quantity: Some(quantity),
                limit: Some(limit),
                value: Some(value),
                text,
                ..Default::default()
            })),
            ActuatorEvent::Resume => self.on_resume(effects),
            ActuatorEvent::Recovered => self.on_recovered(effects),
            ActuatorEvent::Finish { reason } => self.on_finish(&reason, effects),
            ActuatorEvent::Refused { kind, text } => effects.push(self.safety(kind, text)),
            ActuatorEvent::Time => {}
        }
        self.watch(effects);
        self.report(effects);
        let missing = match &self.motion {
            None => Some((self.awaited, "none that can be used has come")),
            Some(motion) => self.permission.awaits(motion.mode()),
        };
        effects.extend(
            self.waiting
                .update(missing, now_ns)
                .map(ActuatorEffect::Tell),
        );
    }

    /// When [`ActuatorEvent::Time`] is due at the latest, ns of the caller's clock.
    #[must_use]
    pub fn wake_at(&self) -> Option<u64> {
        self.waiting.wake_at()
    }

    /// Whether the arm stands still for good, or never moved.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.motion
            .as_ref()
            .is_none_or(|motion| motion.mode() == Mode::Stopped)
    }

    /// Whether chunks are executed, or would be once the arm may move.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.permission.is_armed()
    }

    fn on_chunk(&mut self, chunk: &ActionChunk, effects: &mut Vec<ActuatorEffect>) {
        let mut refusal = self.refusal(chunk).or_else(|| self.paused(chunk));
        if refusal.is_none() && self.permission.executes() {
            self.on_heard(Source::Chunk, effects);
            refusal = self
                .held()
                .map(|text| ("held", format!("chunk {}: {text}", chunk.seq)));
        }
        let Some(motion) = &mut self.motion else {
            let text = format!("chunk {} came before the first arm state", chunk.seq);
            effects.push(self.refuse(chunk, "not_accepting", text));
            return;
        };
        if let Some((kind, text)) = refusal {
            effects.push(self.refuse(chunk, kind, text));
            return;
        }
        if chunk.session != self.chunk_session {
            // A sampler that was started anew counts anew.
            motion.forget_sequence();
        }
        let taken = if self.permission.executes() {
            motion.accept(&convert::chunk(chunk), self.now_ns).is_ok()
        } else {
            // What is wrong with it is known before it could move anything.
            let _ = motion.check(&convert::chunk(chunk), self.now_ns);
            false
        };
        // A refusal is an event as well, which `report` sends.
        if taken {
            self.chunk_session = chunk.session;
            self.permission.has_begun = true;
        } else {
            self.refused = (chunk.session, chunk.seq);
        }
    }

    /// Why the chunk is not for this moment, if it is not.
    fn refusal(&self, chunk: &ActionChunk) -> Option<(&'static str, String)> {
        if chunk.episode != self.episode && self.episode != EpisodeId(0) {
            let text = format!(
                "expected a chunk of {}, found {}",
                self.episode, chunk.episode
            );
            return Some(("other_episode", format!("chunk {}: {text}", chunk.seq)));
        }
        if let Err(error) = chunk.check_finite() {
            return Some(("not_finite", format!("chunk {}: {error}", chunk.seq)));
        }
        if chunk.session < self.chunk_session {
            let text = format!(
                "chunk {}: expected session {}, found {}",
                chunk.seq, self.chunk_session, chunk.session
            );
            return Some(("out_of_order", text));
        }
        None
    }

    fn refuse(&mut self, chunk: &ActionChunk, kind: &str, text: String) -> ActuatorEffect {
        self.refused = (chunk.session, chunk.seq);
        ActuatorEffect::Safety(SafetyEvent {
            stamp_ns: self.now_ns,
            kind: kind.to_owned(),
            chunk_seq: Some(chunk.seq),
            text,
            ..Default::default()
        })
    }

    /// Begins to move the arm from where it is, unless that was done; false where that cannot be.
    fn begin(&mut self, reading: &ArmReading, effects: &mut Vec<ActuatorEffect>) -> bool {
        if self.motion.is_some() {
            return true;
        }
        match Motion::new(self.config, reading, self.now_ns) {
            Ok(motion) => self.motion = Some(motion),
            Err(error) => {
                let text = format!("the arm cannot be moved from where it is: {error}");
                effects.push(self.safety("state_refused".to_owned(), text));
            }
        }
        self.motion.is_some()
    }

    /// Whoever began to move the arm anew: a stop or a pause holds until it is lifted.
    fn keep_stopped(&mut self) {
        let Some(motion) = &mut self.motion else {
            return;
        };
        if matches!(motion.mode(), Mode::Stopping | Mode::Stopped) {
            return;
        }
        match (&self.stopped, &self.permission.paused) {
            (Some(reason), _) => motion.stop(reason, self.now_ns),
            (None, Some(reason)) => motion.pause(reason, self.now_ns),
            (None, None) => {}
        }
    }

    fn chunk_under_way(&self) -> Option<u64> {
        let status = self.motion.as_ref()?.status();
        (status.mode == Mode::Executing).then_some(status.chunk_seq)
    }

    fn safety(&self, kind: String, text: String) -> ActuatorEffect {
        ActuatorEffect::Safety(SafetyEvent {
            stamp_ns: self.now_ns,
            kind,
            text,
            ..Default::default()
        })
    }

    fn report(&mut self, effects: &mut Vec<ActuatorEffect>) {
        let events = self.motion.iter_mut().flat_map(Motion::drain_events);
        effects.extend(events.map(|event| ActuatorEffect::Safety(convert::safety_event(event))));
    }
}

/// What the limits are held against.
fn reading(state: &ArmState) -> ArmReading {
    ArmReading {
        q_rad: state.q_rad,
        dq_rad_s: state.dq_rad_s,
        gripper_width_m: state.gripper_width_m,
    }
}

/// One millisecond of motion, with a reading or without.
fn millisecond(motion: &mut Motion, reading: Option<&ArmReading>, now_ns: u64) -> Setpoint {
    match reading {
        Some(reading) => motion.tick(reading, now_ns),
        None => motion.tick_without_reading(now_ns),
    }
}

/// Brings the arm to rest near where it is, whatever it was doing; one that was stopped stays so.
fn rest(motion: &mut Motion, now_ns: u64) -> Result<(), Refusal> {
    let status = motion.status();
    if matches!(status.mode, Mode::Stopping | Mode::Stopped) {
        return Ok(());
    }
    let still = ActionStep {
        delta_position_m: [0.0; 3],
        gripper: 0.0,
    };
    motion.accept(
        &Chunk {
            seq: status.chunk_seq + 1,
            stamp_ns: now_ns,
            ..Chunk::of_displacements(status.anchor, REST_RATE_HZ, &[still])
        },
        now_ns,
    )
}

#[cfg(test)]
mod tests;
