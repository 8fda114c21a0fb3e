//! An arm and what commands it, for tests.

#![allow(dead_code, reason = "not every test needs all of it")]

use tiller_fci::{FciArm, FciConfig, FciError};
use tiller_motion::limits::{Limits, Robot};
use tiller_motion::{ActionStep, Actuator, ActuatorConfig, Arm, Chunk};

/// An arm and what commands it, as a node has them.
pub(crate) struct Rig {
    pub(crate) arm: FciArm,
    pub(crate) actuator: Option<Actuator>,
    limits: Limits,
    pub(crate) now_ns: u64,
    seq: u64,
}

impl Rig {
    pub(crate) fn new(settings: &FciConfig) -> Self {
        let arm = FciArm::connect(settings).unwrap();
        let limits = match arm.robot() {
            Robot::Fr3 => Limits::fr3(),
            Robot::Panda => Limits::panda(),
        };
        Self {
            arm,
            actuator: None,
            limits,
            now_ns: 0,
            seq: 0,
        }
    }

    /// The milliseconds of one reading.
    pub(crate) fn tick(&mut self) -> Result<(), FciError> {
        let reading = self.arm.read();
        let due = self.arm.elapsed_ms().unwrap();
        if let (None, Ok(reading)) = (&self.actuator, &reading) {
            let config = ActuatorConfig {
                limits: self.limits,
                ..ActuatorConfig::default()
            };
            self.actuator = Some(Actuator::new(config, reading, self.now_ns).unwrap());
        }
        let Some(actuator) = &mut self.actuator else {
            return reading.map(drop);
        };
        for passed in 1..=due {
            self.now_ns += 1_000_000;
            let setpoint = match &reading {
                Ok(reading) if passed == due => actuator.tick(reading, self.now_ns),
                _ => actuator.tick_without_reading(self.now_ns),
            };
            self.arm.command(&setpoint)?;
        }
        reading.map(drop)
    }

    /// Milliseconds until something goes wrong, or all of `ms`; every 700 of them a chunk of half a
    /// second takes the hand elsewhere.
    pub(crate) fn wander(&mut self, ms: u64) -> Result<(), FciError> {
        self.tick()?;
        let end_ns = self.now_ns + ms * 1_000_000;
        let mut next_ns = self.now_ns;
        while self.now_ns < end_ns {
            if self.now_ns >= next_ns {
                next_ns += 700_000_000;
                self.send_chunk();
            }
            self.tick()?;
        }
        Ok(())
    }

    fn send_chunk(&mut self) {
        let actuator = self.actuator.as_mut().unwrap();
        self.seq += 1;
        let anchor = actuator.status().anchor;
        let side = if self.seq.is_multiple_of(2) {
            -1.0
        } else {
            1.0
        };
        let up = [0.008, -0.008, 0.0][(self.seq % 3) as usize];
        let step = ActionStep {
            delta_position_m: [0.5 * up, 0.02 * side, up],
            gripper: if self.seq % 4 < 2 { 1.0 } else { -1.0 },
        };
        let chunk = Chunk {
            seq: self.seq,
            stamp_ns: self.now_ns,
            ..Chunk::of_displacements(anchor, 10.0, &[step; 5])
        };
        actuator.accept(&chunk, self.now_ns).unwrap();
    }

    /// Begins anew from where the arm is, as after a stop that somebody lifted.
    pub(crate) fn recover(&mut self) -> Result<(), FciError> {
        if self.arm.recover()? {
            self.actuator = None;
        }
        Ok(())
    }

    pub(crate) fn fails(&mut self, ms: u64) -> FciError {
        self.wander(ms).expect_err("something should go wrong")
    }
}
