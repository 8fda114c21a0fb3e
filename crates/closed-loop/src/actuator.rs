//! The actuator's machine: what the arm measured in, setpoints out, together with what everybody
//! else may know of the arm. An arm in lockstep is answered with the setpoints of a whole period, one
//! that keeps its own time with one a millisecond.

mod answer;
mod driven;

use serde::{Deserialize, Serialize};
use tiller_core::{EpisodeId, GRIPPER_OPEN_M, JOINTS};
use tiller_messages::{ActionChunk, ArmCommand, ArmState, ExecutionState, Message, SafetyEvent};
use tiller_motion::{
    ActionStep, Actuator as Motion, ActuatorConfig, ArmReading, Chunk, Mode, Refusal, Setpoint,
};

use answer::{Answer, execution};

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

/// Longest way to rest, ticks.
const BRAKE_TICKS: u64 = 2_000;

/// Time between two setpoints, ns.
const TICK_NS: u64 = 1_000_000;

/// Steps a second of the chunk that brings the arm to rest, Hz.
const REST_RATE_HZ: f64 = 10.0;

/// How far outside its limits a joint of an arm that cannot be moved is held all the same, rad.
const HELD_OUTSIDE_RAD: f64 = 0.1;

/// How far an arm may be from its setpoint, in any joint, and still be in the motion of the episode
/// before, rad: a world that sets a scene of its own puts it elsewhere.
const STILL_THERE_RAD: f64 = 0.05;

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
    stamps: StampFilter,
    waiting: Waiting,
    /// Whose states are waited for.
    awaited: &'static str,
    /// Milliseconds of an arm that keeps its own time.
    ticks: u64,
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
            stamps: StampFilter::default(),
            waiting: Waiting::default(),
            awaited: "sim_arm_state",
            ticks: 0,
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
            ActuatorEvent::Stop { reason } => {
                if let Some(motion) = &mut self.motion {
                    motion.stop(&reason, self.now_ns);
                }
                self.stopped = Some(reason);
            }
            ActuatorEvent::Resume => self.on_resume(effects),
            ActuatorEvent::Recovered => self.on_recovered(effects),
            ActuatorEvent::Finish { reason } => self.on_finish(&reason, effects),
            ActuatorEvent::Refused { kind, text } => effects.push(self.safety(kind, text)),
            ActuatorEvent::Time => {}
        }
        self.report(effects);
        let missing = self
            .motion
            .is_none()
            .then(|| (self.awaited, "none that can be used has come".to_owned()));
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
        }
        match motion.accept(&convert::chunk(chunk), self.now_ns) {
            Ok(()) => self.chunk_session = chunk.session,
            // The refusal is an event as well, which `report` sends.
            Err(_) => self.refused = (chunk.session, chunk.seq),
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

    /// Answers a state. One that is sent again, because its answer was lost, gets the same answer:
    /// time has not passed.
    fn on_measured(&mut self, state: ArmState, effects: &mut Vec<ActuatorEffect>) {
        if let Some(answer) = &self.answer
            && (state.episode, state.stamp_ns) == (answer.episode, answer.command.stamp_ns)
        {
            answer.clone().tell(state, effects);
            return;
        }
        if state.episode < self.episode {
            let text = format!(
                "expected a state of {}, found {}",
                self.episode, state.episode
            );
            effects.push(self.safety("state_refused".to_owned(), text));
            return;
        }
        if state.episode == self.episode && !self.stamps.accept(state.stamp_ns) {
            // No answer: the arm is at another time. Where its clock has really jumped, it asks again
            // and is believed.
            let text = self.stamps.complaint("sim_arm_state", state.stamp_ns);
            effects.push(self.safety("state_refused".to_owned(), text));
            return;
        }
        match check(&state) {
            Ok(()) => self.take_state(state, effects),
            Err(text) => {
                effects.push(self.safety("state_refused".to_owned(), text));
                self.move_on(state, None, effects);
            }
        }
    }

    fn take_state(&mut self, state: ArmState, effects: &mut Vec<ActuatorEffect>) {
        if state.episode != self.episode {
            self.enter_episode(&state, effects);
        }
        self.now_ns = state.stamp_ns;
        let reading = reading(&state);
        if !self.begin(&reading, effects) {
            self.answer_in_place(state, effects);
            return;
        }
        self.move_on(state, Some(reading), effects);
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

    /// Whoever began to move the arm anew: a stop holds until it is lifted.
    fn keep_stopped(&mut self) {
        if let (Some(motion), Some(reason)) = (&mut self.motion, &self.stopped)
            && !matches!(motion.status().mode, Mode::Stopping | Mode::Stopped)
        {
            motion.stop(reason, self.now_ns);
        }
    }

    /// One period of motion, in answer to a state; without a reading where the state holds none that
    /// can be used, for the arm would wait for ever.
    fn move_on(
        &mut self,
        state: ArmState,
        reading: Option<ArmReading>,
        effects: &mut Vec<ActuatorEffect>,
    ) {
        self.keep_stopped();
        let Some(motion) = &mut self.motion else {
            return;
        };
        let (episode, refused_before) = (self.episode, motion.status().refused_readings);
        let execution = execution(
            motion,
            episode,
            self.now_ns,
            self.chunk_session,
            self.refused,
        );
        let mut command = ArmCommand {
            stamp_ns: state.stamp_ns,
            q_rad: Vec::with_capacity(SETPOINTS as usize * JOINTS),
            ..Default::default()
        };
        for _ in 0..SETPOINTS {
            let setpoint = millisecond(motion, reading.as_ref(), self.now_ns);
            self.now_ns = self.now_ns.saturating_add(TICK_NS);
            command.q_rad.extend(setpoint.q_rad);
            command.gripper_width_m = setpoint.gripper_width_m;
            self.held = Some((setpoint.q_rad, setpoint.gripper_width_m));
        }
        let is_believed = reading.is_some() && motion.status().refused_readings == refused_before;
        let answer = Answer {
            episode: state.episode,
            command,
            execution,
            is_believed,
        };
        self.answer = Some(answer.clone());
        answer.tell(state, effects);
    }

    /// An arm that cannot be moved from where it is is told to stay there, or it would wait for ever;
    /// not where no arm can be.
    fn answer_in_place(&self, state: ArmState, effects: &mut Vec<ActuatorEffect>) {
        let joint = &self.config.limits.joint;
        let is_possible = (0..JOINTS).all(|j| {
            let low = joint.position_min_rad[j] - HELD_OUTSIDE_RAD;
            let high = joint.position_max_rad[j] + HELD_OUTSIDE_RAD;
            (low..=high).contains(&state.q_rad[j])
        });
        if is_possible {
            effects.push(ActuatorEffect::Command(ArmCommand {
                stamp_ns: state.stamp_ns,
                q_rad: state.q_rad.repeat(SETPOINTS as usize),
                gripper_width_m: state.gripper_width_m.clamp(0.0, GRIPPER_OPEN_M),
                ..Default::default()
            }));
        }
    }

    /// A simulated arm begins an episode where its world has put it: anywhere, or where it was.
    fn enter_episode(&mut self, state: &ArmState, effects: &mut Vec<ActuatorEffect>) {
        let is_first = self.episode == EpisodeId(0);
        self.episode = state.episode;
        self.stamps = StampFilter::default();
        self.stamps.accept(state.stamp_ns);
        if let Some(motion) = &mut self.motion
            && let Some((held, _)) = &self.held
            && (0..JOINTS).all(|j| (held[j] - state.q_rad[j]).abs() <= STILL_THERE_RAD)
            && rest(motion, state.stamp_ns).is_ok()
        {
            // Nobody's chunk: whatever comes next is counted anew.
            self.chunk_session = 0;
        } else {
            self.motion = None;
            self.held = None;
        }
        if !is_first {
            let text = format!("{} begins: the arm starts from where it is", state.episode);
            effects.push(ActuatorEffect::Tell(Notice::info("episode", text)));
        }
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
        let (Some(motion), Some((q_rad, gripper_width_m))) = (&mut self.motion, self.held) else {
            return;
        };
        let mut reading = ArmReading::at_rest(q_rad, gripper_width_m);
        motion.stop(reason, self.now_ns);
        let mut command = ArmCommand {
            stamp_ns: self.now_ns,
            gripper_width_m,
            ..Default::default()
        };
        let mut ticks = 0;
        while motion.status().mode != Mode::Stopped && ticks < BRAKE_TICKS {
            let now_ns = self.now_ns.saturating_add(ticks * TICK_NS);
            reading.q_rad = motion.tick(&reading, now_ns).q_rad;
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
            self.held = Some((reading.q_rad, gripper_width_m));
            self.answer = None;
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

/// Says what is wrong with the numbers of a state, if anything.
fn check(state: &ArmState) -> Result<(), String> {
    state.check_finite().map_err(|error| error.to_string())?;
    if state.tcp.is_valid() {
        return Ok(());
    }
    let found = state.tcp.quaternion_wxyz;
    Err(format!(
        "ArmState.tcp: expected a unit quaternion, found {found:?}"
    ))
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
