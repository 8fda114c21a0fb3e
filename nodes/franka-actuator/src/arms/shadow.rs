//! A real arm that is only read: what it would be told goes to a shadow of it.

use tiller_motion::{Arm, ArmFault, ArmReading, PERIOD_S, Setpoint};

/// How fast fingers of numbers move, m/s.
const FINGER_SPEED_M_S: f64 = 0.1;

/// An arm that is where it was told to be.
pub(super) struct Shade(ArmReading);

impl Shade {
    /// At rest where another arm was found.
    pub(super) fn at(found: &ArmReading) -> Self {
        Self(ArmReading::at_rest(found.q_rad, found.gripper_width_m))
    }

    /// Where it is.
    pub(super) fn reading(&self) -> ArmReading {
        self.0
    }

    /// Goes there within the millisecond; the fingers take their time.
    pub(super) fn go(&mut self, setpoint: &Setpoint) {
        let reading = &mut self.0;
        for (joint, wanted) in setpoint.q_rad.iter().enumerate() {
            reading.dq_rad_s[joint] = (wanted - reading.q_rad[joint]) / PERIOD_S;
            reading.q_rad[joint] = *wanted;
        }
        let step_m = FINGER_SPEED_M_S * PERIOD_S;
        let left_m = setpoint.gripper_width_m - reading.gripper_width_m;
        reading.gripper_width_m += left_m.clamp(-step_m, step_m);
    }
}

/// The shadow of an arm: it begins where that is, and the arm itself is never commanded. Its clock, its
/// silence and its faults are the arm's.
pub(super) struct Shadow<A> {
    arm: A,
    shade: Option<Shade>,
}

impl<A: Arm> Shadow<A> {
    pub(super) fn new(arm: A) -> Self {
        Self { arm, shade: None }
    }
}

impl<A: Arm> Arm for Shadow<A> {
    type Error = A::Error;

    fn read(&mut self) -> Result<ArmReading, A::Error> {
        let found = self.arm.read()?;
        Ok(self
            .shade
            .get_or_insert_with(|| Shade::at(&found))
            .reading())
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), A::Error> {
        if let Some(shade) = &mut self.shade {
            shade.go(setpoint);
        }
        Ok(())
    }

    fn elapsed_ms(&self) -> Option<u32> {
        self.arm.elapsed_ms()
    }

    fn period_ms(&self) -> u32 {
        self.arm.period_ms()
    }

    fn fault(&self) -> Option<ArmFault> {
        self.arm.fault()
    }

    /// Begins anew where the arm is then.
    fn recover(&mut self) -> Result<bool, A::Error> {
        let was_stopped = self.arm.recover()?;
        if was_stopped {
            self.shade = None;
        }
        Ok(was_stopped)
    }
}
