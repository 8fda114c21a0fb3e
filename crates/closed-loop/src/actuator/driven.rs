//! An arm that keeps its own time: a robot, whose driver wants a setpoint every millisecond.

use tiller_core::EpisodeId;
use tiller_messages::ArmState;
use tiller_motion::ActuatorConfig;

use super::{Actuator, ActuatorEffect, SETPOINTS, millisecond, reading, rest};
use crate::notice::Notice;
use crate::watchdog::Source;

impl Actuator {
    /// A machine for an arm that keeps its own time: fed by [`ActuatorEvent::Tick`] once a
    /// millisecond, it begins with the first reading and tells of itself every [`SETPOINTS`] ticks, of
    /// the arm with the first reading after so many.
    ///
    /// [`ActuatorEvent::Tick`]: super::ActuatorEvent::Tick
    #[must_use]
    pub fn driven(config: ActuatorConfig) -> Self {
        Self {
            awaited: "arm",
            is_driven: true,
            ..Self::new(config)
        }
    }

    /// One millisecond of motion. Allocates nothing once `effects` has room.
    pub(super) fn on_tick(
        &mut self,
        state: Option<ArmState>,
        now_ns: u64,
        effects: &mut Vec<ActuatorEffect>,
    ) {
        self.set_clock(self.now_ns.max(now_ns));
        let is_told = self.ticks.is_multiple_of(SETPOINTS);
        self.ticks += 1;
        let reading = state.as_ref().map(reading);
        if let Some(reading) = &reading {
            self.permission.is_read();
            if std::mem::take(&mut self.begins_anew) {
                self.motion = None;
            }
            self.begin(reading, effects);
        }
        self.keep_stopped();
        let Some(motion) = &mut self.motion else {
            return;
        };
        let refused_before = motion.refused_readings();
        let setpoint = millisecond(motion, reading.as_ref(), self.now_ns);
        let is_believed = motion.refused_readings() == refused_before;
        if self.permission.is_commanded() && !self.begins_anew {
            effects.push(ActuatorEffect::Setpoint(
                setpoint.q_rad,
                setpoint.gripper_width_m,
            ));
        }
        let is_due = std::mem::take(&mut self.is_due);
        let since_told = |told| self.ticks - told >= SETPOINTS;
        let is_arm_due = is_due || self.told_tick.is_none_or(since_told);
        if let (true, true, Some(state)) = (is_arm_due, is_believed, state) {
            self.told_tick = Some(self.ticks);
            effects.push(ActuatorEffect::Arm(ArmState {
                stamp_ns: self.now_ns,
                episode: self.episode,
                ..state
            }));
        }
        if is_told || is_due {
            effects.extend(self.execution().map(ActuatorEffect::Execution));
        }
    }

    /// The arm stays where it is and comes to rest; chunks are counted anew.
    pub(super) fn on_episode(&mut self, episode: EpisodeId, effects: &mut Vec<ActuatorEffect>) {
        if episode <= self.episode {
            return;
        }
        self.episode = episode;
        // Neither is there before the scene was looked at anew.
        self.watchdog.forget(Source::Chunk);
        self.watchdog.forget(Source::Keypoints);
        if let Some(motion) = &mut self.motion {
            if self.permission.is_armed() {
                // A refusal is among the motion's events; the chunk under way then goes to its end.
                let _ = rest(motion, self.now_ns);
            }
            motion.forget_sequence();
            self.chunk_session = 0;
        }
        let text = format!("{episode} begins: the arm starts from where it is");
        effects.push(ActuatorEffect::Tell(Notice::info("episode", text)));
    }
}
