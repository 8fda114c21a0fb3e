//! An arm in lockstep: every state is answered with the setpoints until the next one.

use tiller_core::{EpisodeId, GRIPPER_OPEN_M, JOINTS};
use tiller_messages::{ArmCommand, ArmState, Message};
use tiller_motion::{ArmReading, Mode};

use super::answer::Answer;
use super::{Actuator, ActuatorEffect, SETPOINTS, TICK_NS, millisecond, reading, rest};
use crate::notice::Notice;
use crate::stamps::StampFilter;
use crate::watchdog::Source;

/// Longest way to rest, ticks.
const BRAKE_TICKS: u64 = 2_000;

/// How far outside its limits a joint of an arm that cannot be moved is held all the same, rad.
const HELD_OUTSIDE_RAD: f64 = 0.1;

/// How far an arm may be from its setpoint, in any joint, and still be in the motion of the episode
/// before, rad: a world that sets a scene of its own puts it elsewhere.
const STILL_THERE_RAD: f64 = 0.05;

impl Actuator {
    /// Answers a state. One that is sent again, because its answer was lost, gets the same answer:
    /// time has not passed.
    pub(super) fn on_measured(&mut self, state: ArmState, effects: &mut Vec<ActuatorEffect>) {
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
        self.set_clock(state.stamp_ns);
        let reading = reading(&state);
        if !self.begin(&reading, effects) {
            self.answer_in_place(state, effects);
            return;
        }
        self.move_on(state, Some(reading), effects);
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
        let Some(execution) = self.execution() else {
            return;
        };
        let Some(motion) = &mut self.motion else {
            return;
        };
        let refused_before = motion.refused_readings();
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
        let is_believed = reading.is_some() && motion.refused_readings() == refused_before;
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
        // Neither is there before the scene was looked at anew.
        self.watchdog.forget(Source::Chunk);
        self.watchdog.forget(Source::Keypoints);
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
            self.permission.has_begun = false;
        }
        if !is_first {
            let text = format!("{} begins: the arm starts from where it is", state.episode);
            effects.push(ActuatorEffect::Tell(Notice::info("episode", text)));
        }
    }

    /// The way to rest, all of it: the arm may execute it without another word.
    pub(super) fn on_finish(&mut self, reason: &str, effects: &mut Vec<ActuatorEffect>) {
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
        while motion.mode() != Mode::Stopped && ticks < BRAKE_TICKS {
            let now_ns = self.now_ns.saturating_add(ticks * TICK_NS);
            reading.q_rad = motion.tick(&reading, now_ns).q_rad;
            command.q_rad.extend(reading.q_rad);
            ticks += 1;
        }
        if motion.mode() == Mode::Stopped {
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
