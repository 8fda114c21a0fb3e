//! A world in lockstep: one command, one piece of simulated time.

use eyre::{Result, bail};
use tiller_messages::{ArmCommand, RobotState};
use tiller_motion::Setpoint;
use tiller_world::{Command, EpisodeSpec, Verdict, World};

use crate::config::Settings;

/// The world, and what the actuator last said of itself.
pub(crate) struct Lockstep {
    world: Box<dyn World>,
    last: ArmCommand,
    setpoints: Vec<Setpoint>,
}

impl Lockstep {
    /// The scene of the settings' seed.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let mut world = settings.kind.make()?;
        world.reset(&EpisodeSpec {
            tasks: settings.tasks.clone(),
            seed: settings.seed,
            variation: None,
            instruction: Some(settings.instruction.clone()),
        })?;
        let last = ArmCommand {
            anchor_position_m: world.arm().base_from_tool.position_m,
            holding: true,
            ..Default::default()
        };
        Ok(Self {
            world,
            last,
            setpoints: Vec::new(),
        })
    }

    /// Simulated time, ns.
    pub(crate) fn time_ns(&self) -> u64 {
        self.world.time_ns()
    }

    /// The world, for the cameras.
    pub(crate) fn world(&mut self) -> &mut dyn World {
        self.world.as_mut()
    }

    /// How the episode stands.
    pub(crate) fn verdict(&self) -> &Verdict {
        self.world.verdict()
    }

    /// Runs the command's set-points.
    pub(crate) fn run(&mut self, command: ArmCommand) -> Result<()> {
        if command.stamp_ns != self.world.time_ns() {
            let (now, stamp) = (self.world.time_ns(), command.stamp_ns);
            bail!("arm command: expected stamp {now} ns, found {stamp} ns");
        }
        self.setpoints.clear();
        self.setpoints
            .extend(command.setpoints().map(|q_rad| Setpoint {
                q_rad,
                gripper_width_m: command.gripper_width_m,
            }));
        self.world.run(&Command::Joints(&self.setpoints))?;
        self.last = command;
        Ok(())
    }

    /// What the arm's sensors say, with the actuator's own account of itself.
    pub(crate) fn robot_state(&self, seq: u64) -> RobotState {
        let arm = self.world.arm();
        RobotState {
            seq,
            stamp_ns: self.world.time_ns(),
            q_rad: arm.reading.q_rad,
            dq_rad_s: arm.reading.dq_rad_s,
            tcp_position_m: arm.base_from_tool.position_m,
            tcp_quaternion_wxyz: arm.base_from_tool.quaternion_wxyz,
            gripper_width_m: arm.reading.gripper_width_m,
            anchor_position_m: self.last.anchor_position_m,
            chunk_seq: self.last.chunk_seq,
            chunk_step: self.last.chunk_step,
            holding: self.last.holding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_node_kit::Environment;
    use tiller_world::Registry;

    fn lockstep() -> Lockstep {
        let worlds = Registry::new().with(tiller_playtable::kind());
        Lockstep::new(&Settings::read(Environment::from_pairs([]), &worlds).unwrap()).unwrap()
    }

    #[test]
    fn twenty_setpoints_take_twenty_milliseconds() {
        let mut world = lockstep();
        let state = world.robot_state(1);
        let command = ArmCommand {
            seq: 1,
            stamp_ns: state.stamp_ns,
            q_rad: state.q_rad.repeat(20),
            gripper_width_m: 0.08,
            chunk_seq: 7,
            chunk_step: 3,
            ..Default::default()
        };
        world.run(command).unwrap();
        let after = world.robot_state(2);
        assert_eq!(after.stamp_ns, state.stamp_ns + 20_000_000);
        assert_eq!(
            (after.chunk_seq, after.chunk_step, after.holding),
            (7, 3, false)
        );
    }

    #[test]
    fn a_command_for_another_time_is_an_error() {
        let mut world = lockstep();
        let command = ArmCommand {
            stamp_ns: 1,
            q_rad: vec![0.0; 7],
            ..Default::default()
        };
        let error = world.run(command).unwrap_err().to_string();
        assert!(error.contains("expected stamp 0 ns, found 1 ns"), "{error}");
    }
}
