//! No robot: an arm that is where it was told to be, to see what would be done before a robot does it.

use tiller_motion::kinematics::HOME_Q;
use tiller_motion::limits::Limits;
use tiller_motion::{Arm, ArmReading, PERIOD_S, Setpoint};
use tiller_node_kit::Environment;

use super::{Body, DriverError, Opening};

/// How fast its fingers move, m/s.
const FINGER_SPEED_M_S: f64 = 0.1;

/// An arm at home with open fingers. It has no settings.
pub(crate) fn kind(_: &mut Environment) -> Opening {
    Opening::new(|| {
        let arm = DryRun(ArmReading::at_rest(HOME_Q, 0.08));
        Ok(Body::Driven(Box::new(arm), Box::new(Limits::panda())))
    })
}

struct DryRun(ArmReading);

impl Arm for DryRun {
    type Error = DriverError;

    fn read(&mut self) -> Result<ArmReading, DriverError> {
        Ok(self.0)
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), DriverError> {
        let reading = &mut self.0;
        for (joint, wanted) in setpoint.q_rad.iter().enumerate() {
            reading.dq_rad_s[joint] = (wanted - reading.q_rad[joint]) / PERIOD_S;
            reading.q_rad[joint] = *wanted;
        }
        let step_m = FINGER_SPEED_M_S * PERIOD_S;
        let left_m = setpoint.gripper_width_m - reading.gripper_width_m;
        reading.gripper_width_m += left_m.clamp(-step_m, step_m);
        Ok(())
    }
}
