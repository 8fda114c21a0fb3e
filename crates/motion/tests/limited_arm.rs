//! A driver behind the limited arm only ever sees limited setpoints.

mod common;

use common::{MS, usage};
use tiller_motion::kinematics::HOME_Q;
use tiller_motion::{
    ActionStep, ActuatorConfig, Arm, ArmReading, Chunk, LimitedArm, LimitedArmError, Limits, Mode,
    Setpoint,
};

#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

struct Driver {
    reading: ArmReading,
    commands: Vec<Setpoint>,
    /// Reads that still succeed.
    reads_left: usize,
}

impl Arm for Driver {
    type Error = NoAnswer;

    fn read(&mut self) -> Result<ArmReading, NoAnswer> {
        self.reads_left = self.reads_left.checked_sub(1).ok_or(NoAnswer)?;
        Ok(self.reading)
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), NoAnswer> {
        self.reading.q_rad = setpoint.q_rad;
        self.commands.push(*setpoint);
        Ok(())
    }
}

fn driver(reads_left: usize) -> Driver {
    let reading = ArmReading::at_rest(HOME_Q, 0.04);
    let start = Setpoint {
        q_rad: HOME_Q,
        gripper_width_m: 0.04,
    };
    Driver {
        reading,
        commands: vec![start],
        reads_left,
    }
}

#[test]
fn a_robot_that_stops_answering_is_braked_and_the_loss_is_told() {
    let mut arm = LimitedArm::new(driver(300), ActuatorConfig::default(), 0).unwrap();
    let step = ActionStep {
        delta_position_m: [0.0, 0.02, 0.0],
        gripper: 1.0,
    };
    let chunk = Chunk {
        seq: 1,
        ..Chunk::of_displacements(arm.status().anchor, 10.0, &[step; 8])
    };
    arm.accept(&chunk, 0).unwrap();
    let failures = (1..=600)
        .filter(|tick| arm.tick(tick * MS).is_err())
        .count();
    assert_eq!(failures, 301);
    assert_eq!(arm.status().mode, Mode::Stopped);
    assert_eq!(arm.drain_events().len(), 1);
    assert_eq!(
        arm.arm().commands.len(),
        601,
        "setpoints go on while readings are missing"
    );
    let used = usage(&Limits::panda(), &arm.arm().commands);
    assert!(
        used.acceleration <= 0.9 + 1e-6 && used.jerk <= 0.5 + 1e-6,
        "{used:?}"
    );
}

#[test]
fn an_arm_that_cannot_be_read_is_not_taken_over() {
    let result = LimitedArm::new(driver(0), ActuatorConfig::default(), 0);
    assert!(matches!(result, Err(LimitedArmError::Read(NoAnswer))));
}
