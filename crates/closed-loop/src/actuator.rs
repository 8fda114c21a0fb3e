//! The actuator's machine for an arm in lockstep: a measured state in, setpoints for the next
//! period out, together with what everybody else may know of the arm.

use serde::{Deserialize, Serialize};
use tiller_core::{EpisodeId, JOINTS};
use tiller_messages::{
    ActionChunk, ArmCommand, ArmState, ExecutionMode, ExecutionState, Message, SafetyEvent,
};
use tiller_motion::{Actuator as Motion, ActuatorConfig, ArmReading, Mode};

use crate::convert;
use crate::notice::{Notice, Waiting};
use crate::stamps::StampFilter;

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
    /// Motion is allowed again after a stop.
    Resume,
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
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ActuatorEffect {
    /// Move the arm.
    Command(ArmCommand),
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

/// Longest way to rest, ticks.
const BRAKE_TICKS: u64 = 2_000;

/// Time between two setpoints, ns.
const TICK_NS: u64 = 1_000_000;

/// The machine. See the module's documentation.
#[derive(Debug)]
pub struct Actuator {
    config: ActuatorConfig,
    motion: Option<Motion>,
    episode: EpisodeId,
    /// The command that answered the last state.
    last: Option<ArmCommand>,
    last_execution: ExecutionState,
    now_ns: u64,
    chunk_session: u64,
    refused: (u64, u64),
    /// Why motion is not allowed, if it is not.
    stopped: Option<String>,
    stamps: StampFilter,
    waiting: Waiting,
}

impl Actuator {
    /// A machine that begins with the first measured state.
    #[must_use]
    pub fn new(config: ActuatorConfig) -> Self {
        Self {
            config,
            motion: None,
            episode: EpisodeId(0),
            last: None,
            last_execution: ExecutionState::default(),
            now_ns: 0,
            chunk_session: 0,
            refused: (0, 0),
            stopped: None,
            stamps: StampFilter::default(),
            waiting: Waiting::default(),
        }
    }

    /// Takes an event at `now_ns` of the caller's clock, which only measures how long something has
    /// not come; appends what is to be done.
    pub fn on(&mut self, event: ActuatorEvent, now_ns: u64, effects: &mut Vec<ActuatorEffect>) {
        match event {
            ActuatorEvent::Chunk(chunk) => self.on_chunk(&chunk, effects),
            ActuatorEvent::Measured(state) => self.on_measured(state, effects),
            ActuatorEvent::Stop { reason } => {
                if let Some(motion) = &mut self.motion {
                    motion.stop(&reason, self.now_ns);
                }
                self.stopped = Some(reason);
            }
            ActuatorEvent::Resume => self.on_resume(effects),
            ActuatorEvent::Finish { reason } => self.on_finish(&reason, effects),
            ActuatorEvent::Refused { kind, text } => effects.push(self.safety(kind, text)),
            ActuatorEvent::Time => {}
        }
        self.report(effects);
        let missing = self
            .motion
            .is_none()
            .then(|| ("sim_arm_state", "none that can be used has come".to_owned()));
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
            .is_none_or(|motion| motion.status().mode == Mode::Stopped)
    }

    fn on_chunk(&mut self, chunk: &ActionChunk, effects: &mut Vec<ActuatorEffect>) {
        let refusal = self.refusal(chunk);
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
            self.chunk_session = chunk.session;
        }
        // The refusal becomes an event, which `report` sends.
        if motion.accept(&convert::chunk(chunk), self.now_ns).is_err() {
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
        self.safety(kind.to_owned(), text)
    }

    /// Answers a state. One that is sent again, because its answer was lost, gets the same answer:
    /// time has not passed.
    fn on_measured(&mut self, state: ArmState, effects: &mut Vec<ActuatorEffect>) {
        if let Some(last) = &self.last
            && state.stamp_ns == last.stamp_ns
            && state.episode == self.episode
        {
            if state.check_finite().is_ok() {
                effects.push(ActuatorEffect::Arm(state));
            }
            effects.push(ActuatorEffect::Execution(self.last_execution.clone()));
            effects.push(ActuatorEffect::Command(last.clone()));
            return;
        }
        if state.episode != self.episode {
            self.enter_episode(&state, effects);
        } else if !self.stamps.accept(state.stamp_ns) {
            // No answer: the arm is at another time. Where its clock has really jumped, it asks again
            // and is believed.
            let text = self.stamps.complaint("sim_arm_state", state.stamp_ns);
            effects.push(self.safety("state_refused".to_owned(), text));
            return;
        }
        let is_sound = state.check_finite();
        if let Err(error) = &is_sound {
            // It is answered all the same, with the last good reading, or the arm would wait for ever.
            effects.push(self.safety("state_refused".to_owned(), error.to_string()));
        }
        let reading = ArmReading {
            q_rad: state.q_rad,
            dq_rad_s: state.dq_rad_s,
            gripper_width_m: state.gripper_width_m,
        };
        let motion = match &mut self.motion {
            Some(motion) => motion,
            None => match Motion::new(self.config, &reading, state.stamp_ns) {
                Ok(motion) => self.motion.insert(motion),
                Err(error) => {
                    let text = format!("the arm cannot be moved from where it is: {error}");
                    effects.push(self.safety("state_refused".to_owned(), text));
                    self.answer_in_place(&state, effects);
                    return;
                }
            },
        };
        if let Some(reason) = &self.stopped
            && !matches!(motion.status().mode, Mode::Stopping | Mode::Stopped)
        {
            motion.stop(reason, state.stamp_ns);
        }
        let execution = execution(motion, &state, self.chunk_session, self.refused);
        let mut q_rad = Vec::with_capacity(SETPOINTS as usize * JOINTS);
        let mut gripper_width_m = state.gripper_width_m;
        for tick in 0..SETPOINTS {
            let setpoint = motion.tick(&reading, state.stamp_ns + tick * TICK_NS);
            q_rad.extend(setpoint.q_rad);
            gripper_width_m = setpoint.gripper_width_m;
        }
        self.now_ns = state.stamp_ns + SETPOINTS * TICK_NS;
        let command = ArmCommand {
            stamp_ns: state.stamp_ns,
            q_rad,
            gripper_width_m,
            ..Default::default()
        };
        self.last = Some(command.clone());
        self.last_execution = execution.clone();
        // The command first: the arm waits for it.
        effects.push(ActuatorEffect::Command(command));
        if is_sound.is_ok() {
            effects.push(ActuatorEffect::Arm(state));
        }
        effects.push(ActuatorEffect::Execution(execution));
    }

    /// An arm that cannot be moved from where it is is told to stay there, or it would wait for ever.
    fn answer_in_place(&self, state: &ArmState, effects: &mut Vec<ActuatorEffect>) {
        if state.check_finite().is_err() {
            return;
        }
        effects.push(ActuatorEffect::Command(ArmCommand {
            stamp_ns: state.stamp_ns,
            q_rad: state.q_rad.repeat(SETPOINTS as usize),
            gripper_width_m: state.gripper_width_m.clamp(0.0, 0.08),
            ..Default::default()
        }));
    }

    /// A simulated arm begins an episode where its world has put it.
    fn enter_episode(&mut self, state: &ArmState, effects: &mut Vec<ActuatorEffect>) {
        let is_first = self.episode == EpisodeId(0);
        self.episode = state.episode;
        self.stamps = StampFilter::default();
        self.stamps.accept(state.stamp_ns);
        self.now_ns = state.stamp_ns;
        if self.motion.take().is_some() && !is_first {
            let text = format!("{} begins: the arm starts from where it is", state.episode);
            effects.push(ActuatorEffect::Tell(Notice::info("episode", text)));
        }
        self.last = None;
    }

    fn on_resume(&mut self, effects: &mut Vec<ActuatorEffect>) {
        self.stopped = None;
        let Some(motion) = &mut self.motion else {
            return;
        };
        if let Err(error) = motion.resume(self.now_ns) {
            effects.push(self.safety("not_resumed".to_owned(), error.to_string()));
        }
    }

    /// The way to rest, all of it: the arm may execute it without another word.
    fn on_finish(&mut self, reason: &str, effects: &mut Vec<ActuatorEffect>) {
        let (Some(motion), Some(last)) = (&mut self.motion, &self.last) else {
            return;
        };
        let Some(q_rad) = last.setpoints().last() else {
            return;
        };
        let mut reading = ArmReading::at_rest(q_rad, last.gripper_width_m);
        motion.stop(reason, self.now_ns);
        let mut command = ArmCommand {
            stamp_ns: self.now_ns,
            gripper_width_m: last.gripper_width_m,
            ..Default::default()
        };
        let mut ticks = 0;
        while motion.status().mode != Mode::Stopped && ticks < BRAKE_TICKS {
            reading.q_rad = motion.tick(&reading, self.now_ns + ticks * TICK_NS).q_rad;
            command.q_rad.extend(reading.q_rad);
            ticks += 1;
        }
        if motion.status().mode == Mode::Stopped {
            let text = format!("the arm comes to rest within {ticks} ms: {reason}");
            effects.push(ActuatorEffect::Tell(Notice::info("at_rest", text)));
        } else {
            let text = format!("the arm is not at rest after {ticks} ms: {reason}");
            effects.push(ActuatorEffect::Tell(Notice::error("not_at_rest", text)));
        }
        if ticks > 0 {
            effects.push(ActuatorEffect::Command(command));
        }
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
        effects.extend(events.map(|event| {
            ActuatorEffect::Safety(SafetyEvent {
                stamp_ns: event.stamp_ns,
                kind: event.kind.as_str().to_owned(),
                text: event.text,
                ..Default::default()
            })
        }));
    }
}

fn execution(
    motion: &Motion,
    state: &ArmState,
    chunk_session: u64,
    (refused_session, refused_seq): (u64, u64),
) -> ExecutionState {
    let status = motion.status();
    ExecutionState {
        stamp_ns: state.stamp_ns,
        episode: state.episode,
        mode: match status.mode {
            Mode::Holding => ExecutionMode::Holding,
            Mode::Executing => ExecutionMode::Executing,
            Mode::Stopping => ExecutionMode::Stopping,
            Mode::Stopped => ExecutionMode::Stopped,
        },
        anchor: status.anchor,
        anchor_q_rad: status.anchor_q_rad,
        chunk_session,
        chunk_seq: status.chunk_seq,
        chunk_step: status.chunk_step,
        refused_session,
        refused_seq,
        ..Default::default()
    }
}
