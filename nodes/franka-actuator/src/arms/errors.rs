//! Any driver with the errors of this node.

use tiller_motion::{Arm, ArmFault, ArmReading, Setpoint, Violation};

use super::DriverError;

/// A driver whose errors are those of this node.
pub struct OfNode<A>(pub A);

impl<A: Arm> Arm for OfNode<A>
where
    A::Error: Send + Sync,
{
    type Error = DriverError;

    fn read(&mut self) -> Result<ArmReading, DriverError> {
        self.0.read().map_err(DriverError::of)
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), DriverError> {
        self.0.command(setpoint).map_err(DriverError::of)
    }

    fn elapsed_ms(&self) -> Option<u32> {
        self.0.elapsed_ms()
    }

    fn period_ms(&self) -> u32 {
        self.0.period_ms()
    }

    fn clamped(&mut self) -> Option<Violation> {
        self.0.clamped()
    }

    fn fault(&self) -> Option<ArmFault> {
        self.0.fault()
    }

    fn home(&mut self) -> Result<bool, DriverError> {
        self.0.home().map_err(DriverError::of)
    }

    fn is_homing(&self) -> bool {
        self.0.is_homing()
    }

    fn recover(&mut self) -> Result<bool, DriverError> {
        self.0.recover().map_err(DriverError::of)
    }
}
