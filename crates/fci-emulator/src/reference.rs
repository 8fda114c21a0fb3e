//! Where the robot was last told to be: joints, their rates and accelerations, by differences of a
//! millisecond, and what it does not let itself be told.

use tiller_core::JOINTS;
use tiller_motion::PERIOD_S;

use crate::bounds::{Bounds, START_RAD};
use crate::flags::ErrorFlag;

/// How hard the robot itself brakes, rad/s2.
const BRAKE_RAD_S2: f64 = 8.0;

/// The errors of one kind of motion, in the order: range, speed, acceleration, jerk.
pub(crate) type Blame = [ErrorFlag; 4];

/// Those of a motion of the joints.
pub(crate) const JOINT_MOTION: Blame = [
    ErrorFlag::JOINT_POSITION_LIMITS,
    ErrorFlag::JOINT_VELOCITY_LIMITS,
    ErrorFlag::JOINT_VELOCITY_DISCONTINUITY,
    ErrorFlag::JOINT_ACCELERATION_DISCONTINUITY,
];

/// Those of the joints that follow a motion of the hand.
pub(crate) const HAND_MOTION: Blame = [
    ErrorFlag::CARTESIAN_JOINT_POSITION_LIMITS,
    ErrorFlag::CARTESIAN_JOINT_VELOCITY_LIMITS,
    ErrorFlag::CARTESIAN_JOINT_VELOCITY_DISCONTINUITY,
    ErrorFlag::CARTESIAN_JOINT_ACCELERATION_DISCONTINUITY,
];

/// The share of each limit that the commands so far have used at most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Peaks {
    /// Of the joints' speeds.
    pub velocity: f64,
    /// Of their accelerations.
    pub acceleration: f64,
    /// Of their jerks.
    pub jerk: f64,
}

/// The commanded joints.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) q_rad: [f64; JOINTS],
    pub(crate) dq_rad_s: [f64; JOINTS],
    pub(crate) ddq_rad_s2: [f64; JOINTS],
    pub(crate) peaks: Peaks,
}

impl Reference {
    pub(crate) fn at_rest(q_rad: [f64; JOINTS]) -> Self {
        Self {
            q_rad,
            dq_rad_s: [0.0; JOINTS],
            ddq_rad_s2: [0.0; JOINTS],
            peaks: Peaks::default(),
        }
    }

    /// Begins anew where the arm is.
    pub(crate) fn settle(&mut self, q_rad: [f64; JOINTS]) {
        *self = Self {
            peaks: self.peaks,
            ..Self::at_rest(q_rad)
        };
    }

    /// Whether a motion may begin with this command.
    pub(crate) fn check_start(&self, q_rad: &[f64; JOINTS]) -> Result<(), ErrorFlag> {
        let is_near =
            (0..JOINTS).all(|joint| (q_rad[joint] - self.q_rad[joint]).abs() <= START_RAD);
        is_near.then_some(()).ok_or(ErrorFlag::JOINT_START_INVALID)
    }

    /// Takes a commanded position; a violated limit leaves everything as it was.
    pub(crate) fn go_to(
        &mut self,
        q_rad: &[f64; JOINTS],
        bounds: &Bounds,
        blame: &Blame,
    ) -> Result<(), ErrorFlag> {
        let by = |joint: usize| (q_rad[joint] - self.q_rad[joint]) / PERIOD_S;
        let rates = std::array::from_fn(by);
        self.take(*q_rad, rates, bounds, blame)
    }

    /// Takes commanded rates of the joints.
    pub(crate) fn go_on(
        &mut self,
        dq_rad_s: &[f64; JOINTS],
        bounds: &Bounds,
    ) -> Result<(), ErrorFlag> {
        let q_rad = std::array::from_fn(|joint| self.q_rad[joint] + dq_rad_s[joint] * PERIOD_S);
        self.take(q_rad, *dq_rad_s, bounds, &JOINT_MOTION)
    }

    fn take(
        &mut self,
        q_rad: [f64; JOINTS],
        dq_rad_s: [f64; JOINTS],
        bounds: &Bounds,
        blame: &Blame,
    ) -> Result<(), ErrorFlag> {
        let [range, speed, acceleration, jerk] = *blame;
        let (slowest, fastest) = bounds.velocity_rad_s(&self.q_rad);
        let mut peaks = self.peaks;
        let mut ddq_rad_s2 = [0.0; JOINTS];
        for joint in 0..JOINTS {
            let most = if dq_rad_s[joint] < 0.0 {
                slowest[joint]
            } else {
                fastest[joint]
            };
            ddq_rad_s2[joint] = (dq_rad_s[joint] - self.dq_rad_s[joint]) / PERIOD_S;
            let jolt = (ddq_rad_s2[joint] - self.ddq_rad_s2[joint]) / PERIOD_S;
            let used = [
                (dq_rad_s[joint] / most).abs(),
                ddq_rad_s2[joint].abs() / bounds.acceleration_rad_s2[joint],
                jolt.abs() / bounds.jerk_rad_s3[joint],
            ];
            let is_in_range =
                (bounds.lowest_rad[joint]..=bounds.highest_rad[joint]).contains(&q_rad[joint]);
            for (is_kept, flag) in [
                (is_in_range, range),
                (used[0] <= 1.0, speed),
                (used[1] <= 1.0, acceleration),
                (used[2] <= 1.0, jerk),
            ] {
                if !is_kept {
                    return Err(flag);
                }
            }
            peaks.velocity = peaks.velocity.max(used[0]);
            peaks.acceleration = peaks.acceleration.max(used[1]);
            peaks.jerk = peaks.jerk.max(used[2]);
        }
        *self = Self {
            q_rad,
            dq_rad_s,
            ddq_rad_s2,
            peaks,
        };
        Ok(())
    }

    /// A command did not come: on with the same acceleration, as the interface's documentation says.
    pub(crate) fn extrapolate(&mut self) {
        for joint in 0..JOINTS {
            self.dq_rad_s[joint] += self.ddq_rad_s2[joint] * PERIOD_S;
            self.q_rad[joint] += self.dq_rad_s[joint] * PERIOD_S;
        }
    }

    /// Nobody commands any more: the robot brakes.
    pub(crate) fn brake(&mut self) {
        for joint in 0..JOINTS {
            let before = self.dq_rad_s[joint];
            let step = BRAKE_RAD_S2 * PERIOD_S;
            let after = before - before.clamp(-step, step);
            self.ddq_rad_s2[joint] = (after - before) / PERIOD_S;
            self.dq_rad_s[joint] = after;
            self.q_rad[joint] += after * PERIOD_S;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tiller_core::kinematics::HOME_Q;

    use super::*;
    use crate::FciVersion;

    fn bounds() -> Bounds {
        Bounds::new(FciVersion::V10).unwrap()
    }

    fn home_but(joint: usize, by: f64) -> [f64; JOINTS] {
        let mut q = HOME_Q;
        q[joint] += by;
        q
    }

    #[test]
    fn each_limit_has_an_error_of_its_own() {
        let bounds = bounds();
        let mut reference = Reference::at_rest(HOME_Q);
        let mut tell = |by: f64| reference.go_to(&home_but(0, by), &bounds, &JOINT_MOTION);
        assert_eq!(tell(5.0), Err(ErrorFlag::JOINT_POSITION_LIMITS));
        assert_eq!(tell(0.01), Err(ErrorFlag::JOINT_VELOCITY_LIMITS));
        assert_eq!(tell(1e-3), Err(ErrorFlag::JOINT_VELOCITY_DISCONTINUITY));
        assert_eq!(tell(8e-6), Err(ErrorFlag::JOINT_ACCELERATION_DISCONTINUITY));
        assert_eq!(tell(4e-6), Ok(()));
    }

    #[test]
    fn what_is_refused_leaves_no_trace() {
        let mut reference = Reference::at_rest(HOME_Q);
        let before = reference.clone();
        let far = home_but(3, -0.02);
        assert!(reference.go_to(&far, &bounds(), &JOINT_MOTION).is_err());
        assert_eq!(reference.q_rad, before.q_rad);
        assert_eq!(reference.peaks, before.peaks);
    }

    #[test]
    fn not_a_number_is_refused() {
        let mut reference = Reference::at_rest(HOME_Q);
        let nan = home_but(2, f64::NAN);
        assert!(reference.go_to(&nan, &bounds(), &JOINT_MOTION).is_err());
        assert_eq!(
            reference.check_start(&nan),
            Err(ErrorFlag::JOINT_START_INVALID)
        );
    }

    proptest! {
        #[test]
        fn a_smooth_motion_is_taken_and_a_braked_one_rests(
            way in -0.5f64..0.5,
            ms in 1500u32..4000,
            stopped in 1u32..1500,
        ) {
            let bounds = bounds();
            let mut reference = Reference::at_rest(HOME_Q);
            for tick in 1..=stopped {
                // Rest to rest in `ms`, with the least jerk.
                let t = f64::from(tick) / f64::from(ms);
                let share = t * t * t * (10.0 - 15.0 * t + 6.0 * t * t);
                let q = home_but(1, way * share);
                prop_assert_eq!(reference.go_to(&q, &bounds, &JOINT_MOTION), Ok(()));
            }
            for _ in 0..1000 {
                reference.brake();
            }
            prop_assert_eq!(reference.dq_rad_s, [0.0; JOINTS]);
        }

        #[test]
        fn one_that_is_lost_at_a_steady_acceleration_changes_nothing(lost in 2usize..40) {
            let bounds = bounds();
            let mut told = Reference::at_rest(HOME_Q);
            let mut guessed = Reference::at_rest(HOME_Q);
            for tick in 1..60 {
                let t = tick as f64 * PERIOD_S;
                let q = home_but(0, 0.5 * 2.0 * t * (t + PERIOD_S));
                told.go_to(&q, &bounds, &JOINT_MOTION).unwrap();
                if tick == lost {
                    guessed.extrapolate();
                } else {
                    guessed.go_to(&q, &bounds, &JOINT_MOTION).unwrap();
                }
                prop_assert!((told.q_rad[0] - guessed.q_rad[0]).abs() < 1e-12);
            }
        }
    }
}
