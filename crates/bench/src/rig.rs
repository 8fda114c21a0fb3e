//! The play table with the actuator in front of it: every motion goes through the same limits as
//! in the dataflow.

use tiller_motion::{Actuator, ActuatorConfig, ActuatorStatus, Chunk, Refusal};
use tiller_playtable::{PlayTable, PlayTableError, STEP_NS, Task, Variation};

/// Length of one policy step, ns: the shipped policies run at 10 Hz.
pub(crate) const POLICY_STEP_NS: u64 = 100_000_000;
/// Policy steps a second, Hz.
pub(crate) const POLICY_RATE_HZ: f64 = 10.0;
/// The actuator ticks at 1 kHz.
const TICK_NS: u64 = 1_000_000;

/// A simulated world whose arm is driven through [`Actuator`].
pub(crate) struct Rig {
    /// The simulated world.
    pub(crate) table: PlayTable,
    actuator: Actuator,
    chunks: u64,
}

/// The rig could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RigError {
    /// The simulated world could not be made.
    #[error(transparent)]
    World(#[from] PlayTableError),
    /// The actuator refused the arm's initial state.
    #[error(transparent)]
    Actuator(#[from] tiller_motion::ActuatorError),
}

impl Rig {
    /// A fresh world; call [`Rig::reset`] to choose the scene.
    ///
    /// # Errors
    /// [`RigError`] when MuJoCo cannot load the world.
    pub(crate) fn new() -> Result<Self, RigError> {
        let table = PlayTable::new()?;
        let actuator = actuator(&table)?;
        Ok(Self {
            table,
            actuator,
            chunks: 0,
        })
    }

    /// Sets the scene of `seed`; with tasks, one in which they are feasible and not yet achieved; with a
    /// variation, one that departs from the scenes of training.
    ///
    /// # Errors
    /// [`RigError::Actuator`] when the actuator refuses the arm's initial state.
    pub(crate) fn reset(
        &mut self,
        seed: u64,
        tasks: &[Task],
        variation: Option<Variation>,
    ) -> Result<(), RigError> {
        self.table.reset_varied(seed, tasks, variation);
        self.actuator = actuator(&self.table)?;
        self.chunks = 0;
        Ok(())
    }

    /// The commanded TCP position from which the next chunk's deltas integrate, metres.
    #[must_use]
    pub(crate) fn anchor_m(&self) -> [f64; 3] {
        self.actuator.status().anchor.position_m
    }

    /// What the actuator is doing.
    #[must_use]
    pub(crate) fn status(&self) -> ActuatorStatus {
        self.actuator.status()
    }

    /// Hands the next chunk to the actuator; sequence number and stamp are filled in.
    ///
    /// # Errors
    /// The actuator's [`Refusal`].
    pub(crate) fn accept(&mut self, mut chunk: Chunk) -> Result<(), Refusal> {
        self.chunks += 1;
        chunk.seq = self.chunks;
        chunk.stamp_ns = self.table.time_ns();
        self.actuator.accept(&chunk, self.table.time_ns())
    }

    /// Lets simulated time pass, the actuator at 1 kHz and the physics in its own steps.
    pub(crate) fn advance(&mut self, duration_ns: u64) {
        let end = self.table.time_ns() + duration_ns;
        while self.table.time_ns() < end {
            let reading = self.table.reading();
            let now = self.table.time_ns();
            // One physics step spans several ticks; the last setpoint is the one in force.
            for tick in 1..=STEP_NS / TICK_NS {
                let setpoint = self.actuator.tick(&reading, now + tick * TICK_NS);
                self.table.command(&setpoint);
            }
            self.table.step();
        }
    }
}

fn actuator(table: &PlayTable) -> Result<Actuator, RigError> {
    Ok(Actuator::new(
        ActuatorConfig::default(),
        &table.reading(),
        table.time_ns(),
    )?)
}
