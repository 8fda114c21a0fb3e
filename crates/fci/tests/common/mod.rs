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

    /// Milliseconds with chunks that no policy should send: far, fast, not numbers, anchored elsewhere.
    /// What is refused is refused.
    pub(crate) fn provoke(&mut self, ms: u64, seed: u64) -> Result<(), FciError> {
        self.tick()?;
        let mut state = seed;
        let mut chance = move || {
            // Knuth's linear congruence; the upper bits are the random ones.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let end_ns = self.now_ns + ms * 1_000_000;
        let mut next_ns = self.now_ns;
        while self.now_ns < end_ns {
            if self.now_ns >= next_ns {
                next_ns += 50_000_000 + (chance() * 400e6) as u64;
                self.send_hostile(&mut chance);
            }
            self.tick()?;
        }
        Ok(())
    }

    fn send_hostile(&mut self, chance: &mut impl FnMut() -> f64) {
        let actuator = self.actuator.as_mut().unwrap();
        self.seq += 1;
        let mut anchor = actuator.status().anchor;
        if chance() < 0.1 {
            anchor.position_m[0] += 0.3 * (chance() - 0.5);
        }
        let size_m = [0.01, 0.05, 1.0, 1e9][(chance() * 4.0) as usize];
        let mut steps = [ActionStep {
            delta_position_m: [0.0; 3],
            gripper: 0.0,
        }; 8];
        for step in &mut steps {
            step.delta_position_m = [(); 3].map(|()| size_m * (2.0 * chance() - 1.0));
            if chance() < 0.01 {
                step.delta_position_m[2] = f64::NAN;
            }
        }
        let rate_hz = [5.0, 10.0, 20.0, 50.0][(chance() * 4.0) as usize];
        let chunk = Chunk {
            seq: self.seq,
            stamp_ns: self.now_ns,
            ..Chunk::of_displacements(anchor, rate_hz, &steps)
        };
        // Refused or not: only what the robot makes of it counts.
        let _ = actuator.accept(&chunk, self.now_ns);
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
