//! Lets actions move the simulated arm, through the same actuator as a real one.

use crate::world::{PlayTable, STEP_NS};
use tiller_motion::{ActionStep, Actuator, ActuatorConfig, ActuatorError, Chunk, Refusal};

/// Actuator ticks in one physics step.
const TICKS_PER_STEP: u64 = 2;
const TICK_NS: u64 = STEP_NS / TICKS_PER_STEP;

/// An [`Actuator`] at 1 kHz in step with a [`PlayTable`], for programs that run both in one thread.
///
/// ```
/// use tiller_motion::ActionStep;
/// use tiller_playtable::{Driver, PlayTable};
/// let mut table = PlayTable::new()?;
/// let mut driver = Driver::new(&table)?;
/// let start = driver.anchor_m();
/// let up = ActionStep { delta_position_m: [0.0, 0.0, 0.02], gripper: -1.0 };
/// driver.execute(&mut table, &[up, up], 2, 10.0)?;
/// driver.wait(&mut table, 100_000_000);
/// assert!((table.tcp_position_m()[2] - start[2] - 0.04).abs() < 0.002);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Driver {
    actuator: Actuator,
    seq: u64,
}

impl Driver {
    /// Holds the arm where it is. Make a new one after every reset.
    ///
    /// # Errors
    /// When the actuator does not accept the arm's state.
    pub fn new(table: &PlayTable) -> Result<Self, ActuatorError> {
        let actuator = Actuator::new(ActuatorConfig::default(), &table.reading(), table.time_ns())?;
        Ok(Self { actuator, seq: 0 })
    }

    /// Where the next action starts from, world frame, metres.
    pub fn anchor_m(&self) -> [f64; 3] {
        self.actuator.status().anchor.position_m
    }

    /// The actuator, for its status and events.
    pub fn actuator(&mut self) -> &mut Actuator {
        &mut self.actuator
    }

    /// Sends `steps` as one chunk from the present anchor and runs the world while the first
    /// `execute_steps` of them are due.
    ///
    /// # Errors
    /// When the actuator refuses the chunk; the world then stands still.
    pub fn execute(
        &mut self,
        table: &mut PlayTable,
        steps: &[ActionStep],
        execute_steps: usize,
        rate_hz: f64,
    ) -> Result<(), Refusal> {
        self.seq += 1;
        let chunk = Chunk {
            seq: self.seq,
            stamp_ns: table.time_ns(),
            execute_steps,
            ..Chunk::of_displacements(self.actuator.status().anchor, rate_hz, steps)
        };
        self.actuator.accept(&chunk, table.time_ns())?;
        self.wait(table, (execute_steps as f64 / rate_hz * 1e9).round() as u64);
        Ok(())
    }

    /// Runs the world for a time, in whole physics steps.
    pub fn wait(&mut self, table: &mut PlayTable, duration_ns: u64) {
        for _ in 0..duration_ns.div_ceil(STEP_NS) {
            let reading = table.reading();
            for tick in 0..TICKS_PER_STEP {
                let setpoint = self
                    .actuator
                    .tick(&reading, table.time_ns() + tick * TICK_NS);
                table.command(&setpoint);
            }
            table.step();
        }
    }
}
