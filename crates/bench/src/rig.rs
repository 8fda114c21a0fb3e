//! A world with the actuator in front of its arm: every motion goes through the same limits as in the
//! dataflow.

use tiller_core::Pose;
use tiller_motion::{Actuator, ActuatorConfig, ActuatorStatus, ArmReading, Chunk, Limits, Refusal};
use tiller_world::{Command, EpisodeSpec, SETPOINT_NS, World, WorldError, WorldInfo, WorldKind};

/// Length of one policy step, ns: the shipped policies run at 10 Hz.
pub const POLICY_STEP_NS: u64 = 100_000_000;
/// Policy steps a second, Hz.
pub(crate) const POLICY_RATE_HZ: f64 = 10.0;

/// A simulated world whose arm is driven through [`Actuator`].
pub(crate) struct Rig {
    /// The simulated world.
    pub(crate) world: Box<dyn World>,
    actuator: Actuator,
    chunks: u64,
    step_ns: u64,
}

/// The rig could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RigError {
    /// The simulated world could not be made or reset.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The actuator refused the arm's initial state.
    #[error(transparent)]
    Actuator(#[from] tiller_motion::ActuatorError),
}

impl Rig {
    /// A fresh world; call [`Rig::reset`] to choose the scene.
    ///
    /// # Errors
    /// [`RigError`] when the world cannot be made.
    pub(crate) fn new(kind: &dyn WorldKind) -> Result<Self, RigError> {
        let world = kind.make()?;
        let actuator = actuator(world.as_ref())?;
        Ok(Self {
            step_ns: kind.info().robot.step_ns,
            world,
            actuator,
            chunks: 0,
        })
    }

    /// Sets the scene.
    ///
    /// # Errors
    /// [`RigError`] when the world does not have what is asked for, or the actuator refuses the arm's
    /// initial state.
    pub(crate) fn reset(&mut self, spec: &EpisodeSpec) -> Result<(), RigError> {
        self.world.reset(spec)?;
        self.actuator = actuator(self.world.as_ref())?;
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

    /// Measured joints and gripper.
    #[must_use]
    pub(crate) fn reading(&self) -> ArmReading {
        self.world.arm().reading
    }

    /// Measured position of the tool centre point, metres.
    #[must_use]
    pub(crate) fn tool_m(&self) -> [f64; 3] {
        self.tool().position_m
    }

    /// Measured pose of the tool centre point in the base frame.
    #[must_use]
    pub(crate) fn tool(&self) -> Pose {
        self.world.arm().base_from_tool
    }

    /// Hands the next chunk to the actuator; sequence number and stamp are filled in.
    ///
    /// # Errors
    /// The actuator's [`Refusal`].
    pub(crate) fn accept(&mut self, mut chunk: Chunk) -> Result<(), Refusal> {
        self.chunks += 1;
        chunk.seq = self.chunks;
        chunk.stamp_ns = self.world.time_ns();
        self.actuator.accept(&chunk, self.world.time_ns())
    }

    /// Lets simulated time pass, the actuator at 1 kHz and the world in its own steps.
    ///
    /// # Errors
    /// When the world fails.
    pub(crate) fn advance(&mut self, duration_ns: u64) -> Result<(), WorldError> {
        let end = self.world.time_ns() + duration_ns;
        while self.world.time_ns() < end {
            let reading = self.reading();
            let now = self.world.time_ns();
            // One step of the world spans several ticks; the last set-point is the one in force.
            let mut setpoint = self.actuator.tick(&reading, now + SETPOINT_NS);
            for tick in 2..=self.step_ns / SETPOINT_NS {
                setpoint = self.actuator.tick(&reading, now + tick * SETPOINT_NS);
            }
            self.world.command(&Command::Joints(&[setpoint]))?;
            self.world.step()?;
        }
        Ok(())
    }
}

/// The actuator's settings over a world's part of the cell.
pub(crate) fn actuator_config(info: &WorldInfo) -> ActuatorConfig {
    let defaults = ActuatorConfig::default();
    ActuatorConfig {
        limits: Limits {
            workspace: info.robot.workspace,
            ..defaults.limits
        },
        ..defaults
    }
}

fn actuator(world: &dyn World) -> Result<Actuator, RigError> {
    Ok(Actuator::new(
        actuator_config(world.info()),
        &world.arm().reading,
        world.time_ns(),
    )?)
}
