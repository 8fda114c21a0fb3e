//! The play table in lockstep: one command, one piece of simulated time.

use eyre::{Result, bail};
use tiller_messages::{ArmCommand, RobotState};
use tiller_motion::Setpoint;
use tiller_playtable::{PlayTable, STEP_NS, Task};

use crate::config::Settings;

/// Time between two setpoints of a command, ns.
const SETPOINT_NS: u64 = 1_000_000;

/// The table, and what the actuator last said of itself.
pub(crate) struct World {
    table: PlayTable,
    tasks: Vec<Task>,
    last: ArmCommand,
}

impl World {
    /// The scene of the settings' seed.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let mut table = PlayTable::new()?;
        table.reset_varied(settings.seed, &settings.tasks, None);
        let last = ArmCommand {
            anchor_position_m: table.tcp_position_m(),
            holding: true,
            ..Default::default()
        };
        Ok(Self {
            table,
            tasks: settings.tasks.clone(),
            last,
        })
    }

    /// Simulated time, ns.
    pub(crate) fn time_ns(&self) -> u64 {
        self.table.time_ns()
    }

    /// The table, for the cameras.
    pub(crate) fn table(&mut self) -> &mut PlayTable {
        &mut self.table
    }

    /// Runs the command's setpoints.
    pub(crate) fn run(&mut self, command: ArmCommand) -> Result<()> {
        if command.stamp_ns != self.table.time_ns() {
            let (now, stamp) = (self.table.time_ns(), command.stamp_ns);
            bail!("arm command: expected stamp {now} ns, found {stamp} ns");
        }
        let setpoints: Vec<_> = command.setpoints().collect();
        // A physics step takes the newest setpoint that is due when it begins.
        for setpoint in setpoints.iter().step_by((STEP_NS / SETPOINT_NS) as usize) {
            self.table.command(&Setpoint {
                q_rad: *setpoint,
                gripper_width_m: command.gripper_width_m,
            });
            self.table.step();
        }
        self.last = command;
        Ok(())
    }

    /// What the arm's sensors say, with the actuator's own account of itself.
    pub(crate) fn robot_state(&self, seq: u64) -> RobotState {
        let reading = self.table.reading();
        RobotState {
            seq,
            stamp_ns: self.table.time_ns(),
            q_rad: reading.q_rad,
            dq_rad_s: reading.dq_rad_s,
            tcp_position_m: self.table.tcp_position_m(),
            tcp_quaternion_wxyz: self.table.tcp_quaternion_wxyz(),
            gripper_width_m: reading.gripper_width_m,
            anchor_position_m: self.last.anchor_position_m,
            chunk_seq: self.last.chunk_seq,
            chunk_step: self.last.chunk_step,
            holding: self.last.holding,
        }
    }

    /// Whether all tasks were achieved, one after the other.
    pub(crate) fn succeeded(&self) -> bool {
        !self.tasks.is_empty() && self.table.succeeded_in_order(&self.tasks)
    }

    /// Names of all tasks achieved so far.
    pub(crate) fn completed(&self) -> Vec<String> {
        self.table
            .completed()
            .iter()
            .map(|task| task.name().to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_node_kit::Environment;

    fn world() -> World {
        World::new(&Settings::read(Environment::from_pairs([])).unwrap()).unwrap()
    }

    #[test]
    fn twenty_setpoints_take_twenty_milliseconds() {
        let mut world = world();
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
        let mut world = world();
        let command = ArmCommand {
            stamp_ns: 1,
            q_rad: vec![0.0; 7],
            ..Default::default()
        };
        let error = world.run(command).unwrap_err().to_string();
        assert!(error.contains("expected stamp 0 ns, found 1 ns"), "{error}");
    }
}
