//! The robot's readings: which are believed, and how long ago there was one.

use crate::arm::ArmReading;
use crate::event::Reason;
use crate::kinematics::{Chain, JOINTS, JointVector};
use crate::limits::Limits;
use crate::violation::{Quantity, Violation};

/// How far outside its limits a joint may be measured before the reading is not believed, rad.
const SLACK_RAD: f64 = 0.1;

/// How far a joint may seem to have moved since the last good reading beyond what its highest speed
/// allows, rad: measurement noise, and a clock that stands still in simulation.
const JUMP_RAD: f64 = 0.2;

/// The last good reading and what came since.
#[derive(Debug, Clone)]
pub(crate) struct Readings {
    q_rad: JointVector,
    chain: Chain,
    /// When the last good one came, on the caller's clock, ns.
    good_ns: u64,
    /// Since when they have been good without a gap, ns.
    good_since_ns: u64,
    /// Ticks since the last good one.
    missed: u32,
    /// Whether the last one was refused.
    refusing: bool,
    refused: u64,
}

impl Readings {
    /// Begins with a reading that must be good.
    pub(crate) fn new(reading: &ArmReading, limits: &Limits, now_ns: u64) -> Result<Self, Reason> {
        check(reading, limits, 0.0)?;
        Ok(Self {
            q_rad: reading.q_rad,
            chain: Chain::new(&reading.q_rad),
            good_ns: now_ns,
            good_since_ns: now_ns,
            missed: 0,
            refusing: false,
            refused: 0,
        })
    }

    /// Joint positions of the last good reading, rad.
    pub(crate) fn q_rad(&self) -> &JointVector {
        &self.q_rad
    }

    /// Where the tool was then.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Ticks since the last good reading.
    pub(crate) fn missed(&self) -> u32 {
        self.missed
    }

    /// Readings refused so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// For how long readings have been good without a gap, ns.
    pub(crate) fn good_for_ns(&self, now_ns: u64) -> u64 {
        if self.missed > 0 {
            return 0;
        }
        now_ns.saturating_sub(self.good_since_ns)
    }

    /// Takes a reading over, or says what is wrong with it: once for each run of bad ones. A robot
    /// that stands still by command may meanwhile have been moved by hand: then any place is good.
    pub(crate) fn take(
        &mut self,
        reading: &ArmReading,
        limits: &Limits,
        standing: bool,
        now_ns: u64,
    ) -> Result<(), Option<Reason>> {
        let judged = check(reading, limits, SLACK_RAD).and_then(|()| {
            if standing {
                Ok(())
            } else {
                self.check_jump(reading, limits, now_ns)
            }
        });
        match judged {
            Ok(()) => {
                if self.missed > 0 {
                    self.good_since_ns = now_ns;
                }
                self.good_ns = now_ns;
                self.missed = 0;
                self.refusing = false;
                if self.q_rad != reading.q_rad {
                    self.q_rad = reading.q_rad;
                    self.chain = Chain::new(&reading.q_rad);
                }
                Ok(())
            }
            Err(reason) => {
                self.refused += 1;
                self.miss();
                Err((!std::mem::replace(&mut self.refusing, true)).then_some(reason))
            }
        }
    }

    /// There was no reading.
    pub(crate) fn miss(&mut self) {
        self.missed = self.missed.saturating_add(1);
    }

    fn check_jump(&self, reading: &ArmReading, limits: &Limits, now_ns: u64) -> Result<(), Reason> {
        let time_s = now_ns.saturating_sub(self.good_ns) as f64 * 1e-9;
        for joint in 0..JOINTS {
            let found = (reading.q_rad[joint] - self.q_rad[joint]).abs();
            let most = JUMP_RAD + limits.joint.velocity_rad_s[joint] * time_s;
            if found > most {
                return Err(Violation::new(Quantity::JointJump(joint), most, found).into());
            }
        }
        Ok(())
    }
}

/// Says what is wrong with a reading by itself, if anything.
fn check(reading: &ArmReading, limits: &Limits, slack_rad: f64) -> Result<(), Reason> {
    let numbers = || reading.q_rad.iter().chain(&reading.dq_rad_s);
    if numbers().any(|value| !value.is_finite()) || !reading.gripper_width_m.is_finite() {
        return Err(format!("expected finite numbers, found {reading:?}").into());
    }
    for joint in 0..JOINTS {
        let (q, low, high) = (
            reading.q_rad[joint],
            limits.joint.position_min_rad[joint] - slack_rad,
            limits.joint.position_max_rad[joint] + slack_rad,
        );
        if q < low || q > high {
            let limit = if q < low { low } else { high };
            return Err(Violation::new(Quantity::JointPosition(joint), limit, q).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinematics::HOME_Q;

    const MS: u64 = 1_000_000;

    fn readings() -> Readings {
        let first = ArmReading::at_rest(HOME_Q, 0.0);
        Readings::new(&first, &Limits::panda(), 0).unwrap()
    }

    fn take(readings: &mut Readings, joint_4: f64, now_ns: u64) -> Result<(), Option<Reason>> {
        let mut reading = ArmReading::at_rest(HOME_Q, 0.0);
        reading.q_rad[3] = joint_4;
        readings.take(&reading, &Limits::panda(), false, now_ns)
    }

    #[test]
    fn a_run_of_bad_readings_is_told_once_and_counted() {
        let mut readings = readings();
        assert!(take(&mut readings, f64::NAN, MS).unwrap_err().is_some());
        assert_eq!(take(&mut readings, 9.0, 2 * MS), Err(None));
        assert_eq!((readings.missed(), readings.refused()), (2, 2));
        assert_eq!(readings.q_rad(), &HOME_Q);
        take(&mut readings, HOME_Q[3], 3 * MS).unwrap();
        assert_eq!((readings.missed(), readings.refused()), (0, 2));
        assert!(take(&mut readings, f64::NAN, 4 * MS).unwrap_err().is_some());
    }

    #[test]
    fn a_joint_that_leaps_within_its_limits_is_not_believed() {
        let mut readings = readings();
        let text = take(&mut readings, HOME_Q[3] + 0.5, MS).unwrap_err();
        assert!(text.unwrap().text.contains("joint 4"));
        take(&mut readings, HOME_Q[3] + 0.19, 2 * MS).unwrap();
        // A second later it may have gone anywhere near.
        take(&mut readings, HOME_Q[3] + 1.5, 1000 * MS).unwrap();
    }

    #[test]
    fn a_robot_that_stands_may_have_been_moved_by_hand() {
        let mut readings = readings();
        let mut reading = ArmReading::at_rest(HOME_Q, 0.0);
        reading.q_rad[0] = 1.5;
        readings.take(&reading, &Limits::panda(), true, MS).unwrap();
        assert_eq!(readings.q_rad()[0], 1.5);
    }

    #[test]
    fn a_clock_that_leaps_once_does_no_lasting_harm() {
        let mut readings = readings();
        take(&mut readings, HOME_Q[3], u64::MAX).unwrap();
        take(&mut readings, HOME_Q[3] + 0.01, 2 * MS).unwrap();
        assert_eq!(readings.good_for_ns(5 * MS), 5 * MS);
        assert!(take(&mut readings, HOME_Q[3] + 0.5, 3 * MS).is_err());
    }
}
