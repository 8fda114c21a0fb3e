//! The simulated arm: one command for each measured state, in lockstep with simulated time.

use eyre::{Result, WrapErr};
use tiller_messages::{ActionChunk, ArmCommand, RobotState};
use tiller_motion::{Actuator, ActuatorConfig, ArmReading, Mode, Refusal, SafetyEvent};

use crate::convert;

/// Setpoints in a command: what the simulator consumes between two states, at 1 kHz.
pub(crate) const SETPOINTS: u64 = 20;

/// Time between two setpoints, ns.
const TICK_NS: u64 = 1_000_000;

/// The actuator and what it said last.
pub(crate) struct Simulated {
    config: ActuatorConfig,
    actuator: Option<Actuator>,
    last: ArmCommand,
    now_ns: u64,
}

impl Simulated {
    /// An actuator that starts with the first measured state.
    pub(crate) fn new(config: ActuatorConfig) -> Self {
        Self {
            config,
            actuator: None,
            last: ArmCommand::default(),
            now_ns: 0,
        }
    }

    /// Hands over a chunk; before the first state there is nothing that could move.
    pub(crate) fn accept(&mut self, chunk: &ActionChunk) -> Result<(), Refusal> {
        match &mut self.actuator {
            Some(actuator) => {
                let chunk = convert::chunk(chunk, &actuator.status().anchor);
                actuator.accept(&chunk, self.now_ns)
            }
            None => {
                tracing::warn!(
                    "chunk {} came before the first robot state: dropped",
                    chunk.seq
                );
                Ok(())
            }
        }
    }

    /// Brings the arm to rest.
    pub(crate) fn stop(&mut self, reason: &str) {
        if let Some(actuator) = &mut self.actuator {
            actuator.stop(reason, self.now_ns);
        }
    }

    /// Whether the arm stands still for good, or never moved.
    pub(crate) fn is_stopped(&self) -> bool {
        self.actuator
            .as_ref()
            .is_none_or(|actuator| actuator.status().mode == Mode::Stopped)
    }

    /// The command that answers a state. A state that is sent again, because its answer was lost,
    /// gets the same answer: time has not passed.
    pub(crate) fn answer(&mut self, state: &RobotState) -> Result<ArmCommand> {
        let seq = self.last.seq + 1;
        if self.actuator.is_some() && state.stamp_ns == self.last.stamp_ns {
            self.last.seq = seq;
            return Ok(self.last.clone());
        }
        let reading = ArmReading {
            q_rad: state.q_rad,
            dq_rad_s: state.dq_rad_s,
            gripper_width_m: state.gripper_width_m,
        };
        let actuator = match &mut self.actuator {
            Some(actuator) => actuator,
            None => self.actuator.insert(
                Actuator::new(self.config, &reading, state.stamp_ns)
                    .wrap_err("the arm cannot be moved from where it is")?,
            ),
        };
        let mut q_rad = Vec::with_capacity(SETPOINTS as usize * state.q_rad.len());
        let mut gripper_width_m = state.gripper_width_m;
        for tick in 0..SETPOINTS {
            let setpoint = actuator.tick(&reading, state.stamp_ns + tick * TICK_NS);
            q_rad.extend(setpoint.q_rad);
            gripper_width_m = setpoint.gripper_width_m;
        }
        self.now_ns = state.stamp_ns + SETPOINTS * TICK_NS;
        let status = actuator.status();
        self.last = ArmCommand {
            seq,
            stamp_ns: state.stamp_ns,
            q_rad,
            gripper_width_m,
            anchor_position_m: status.anchor.position_m,
            chunk_seq: status.chunk_seq,
            chunk_step: status.chunk_step,
            holding: status.mode != Mode::Executing,
        };
        Ok(self.last.clone())
    }

    /// What was refused, clamped or stopped since the last call.
    pub(crate) fn events(&mut self) -> Vec<SafetyEvent> {
        self.actuator
            .as_mut()
            .map(Actuator::drain_events)
            .unwrap_or_default()
    }
}
