//! No robot: an arm that is where it was told to be, to see what would be done before a robot does it.

use tiller_motion::kinematics::HOME_Q;
use tiller_motion::limits::Limits;
use tiller_motion::{Arm, ArmReading, Setpoint};
use tiller_node_kit::Environment;

use super::shadow::Shade;
use super::{Body, DrivenBody, DriverError, Opening};
use crate::realtime::RealTime;

/// An arm at home with open fingers. Only its thread is set.
pub(crate) fn kind(env: &mut Environment) -> Opening {
    let real_time = RealTime::read(env, "without");
    Opening::new(move || {
        let driver = Box::new(DryRun(Shade::at(&ArmReading::at_rest(HOME_Q, 0.08))));
        let limits = Limits::panda();
        Ok(Body::Driven(Box::new(DrivenBody {
            driver,
            limits,
            real_time,
        })))
    })
}

struct DryRun(Shade);

impl Arm for DryRun {
    type Error = DriverError;

    fn read(&mut self) -> Result<ArmReading, DriverError> {
        Ok(self.0.reading())
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), DriverError> {
        self.0.go(setpoint);
        Ok(())
    }
}
