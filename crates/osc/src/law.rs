//! From a set-point of the joints to a step of the tool.

use nalgebra::Vector3;
use tiller_core::Pose;
use tiller_motion::kinematics::JointVector;

/// How a controller that takes steps is led.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// How many times the way is asked for. Default: 3, for a controller that comes a third of the way
    /// to its goal in a period.
    pub gain: f64,
    /// How far ahead of the newest set-point the tool is led, in ways of the last period. Default: 1.25.
    pub lead: f64,
    /// The controller's largest step, m.
    pub most_m: f64,
    /// Its largest turn, rad.
    pub most_rad: f64,
}

/// A step of the tool, from where it is, in the base frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// By how much it moves, m.
    pub translation_m: [f64; 3],
    /// By how much it turns: axis times angle, rad.
    pub rotation_rad: [f64; 3],
    /// What of it was shortened.
    pub clamped: Clamped,
}

/// What was longer than the controller's largest step, and was shortened to it: how long it was.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clamped {
    /// The translation, m.
    pub translation_m: Option<f64>,
    /// The rotation, rad.
    pub rotation_rad: Option<f64>,
}

impl Clamped {
    /// Whether anything was.
    #[must_use]
    pub fn any(self) -> bool {
        self.translation_m.is_some() || self.rotation_rad.is_some()
    }
}

impl Law {
    /// The default gain.
    pub const GAIN: f64 = 3.0;
    /// The default lead.
    pub const LEAD: f64 = 1.25;

    /// The defaults with a controller's largest step.
    #[must_use]
    pub fn within(most_m: f64, most_rad: f64) -> Self {
        Self {
            gain: Self::GAIN,
            lead: Self::LEAD,
            most_m,
            most_rad,
        }
    }

    /// The step from where the tool is towards where it is led: `gain` times the way. What is longer
    /// than the controller takes keeps its direction and is told; a way that is none is no step.
    #[must_use]
    pub fn step(&self, here: &Pose, there: &Pose) -> Step {
        let way_m = (there.position() - here.position()) * self.gain;
        let turn_rad = (there.rotation() * here.rotation().inverse()).scaled_axis() * self.gain;
        let (translation, translation_m) = shortened(way_m, self.most_m);
        let (rotation, rotation_rad) = shortened(turn_rad, self.most_rad);
        Step {
            translation_m: translation.into(),
            rotation_rad: rotation.into(),
            clamped: Clamped {
                translation_m,
                rotation_rad,
            },
        }
    }
}

/// Joints ahead of the newest set-point by `lead` times what it moved in a period, rad; `before` is where
/// it was `periods` ago. So a controller that lags is led by as much as it lags at this speed.
#[must_use]
pub fn ahead(setpoint: &JointVector, before: &JointVector, periods: f64, lead: f64) -> JointVector {
    std::array::from_fn(|joint| {
        let moved = setpoint[joint] - before[joint];
        setpoint[joint] + lead * (moved / periods)
    })
}

fn shortened(way: Vector3<f64>, most: f64) -> (Vector3<f64>, Option<f64>) {
    let length = way.norm();
    if length <= most {
        (way, None)
    } else if length.is_finite() {
        // Rounding must not make it longer again.
        (
            way * (most / length * (1.0 - 4.0 * f64::EPSILON)),
            Some(length),
        )
    } else {
        (Vector3::zeros(), Some(f64::INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tiller_core::kinematics::{HOME_Q, forward};

    use super::*;

    const MOST_M: f64 = 0.05;
    const MOST_RAD: f64 = 0.5;

    fn law() -> Law {
        Law::within(MOST_M, MOST_RAD)
    }

    fn postures() -> impl Strategy<Value = JointVector> {
        prop::array::uniform7(-1.0..1.0f64)
            .prop_map(|by| std::array::from_fn(|joint| HOME_Q[joint] + by[joint]))
    }

    /// Where a step leads from a pose, `share` of the way.
    fn moved(pose: &Pose, step: &Step, share: f64) -> Pose {
        let position_m = pose.position() + Vector3::from(step.translation_m) * share;
        let turn = Vector3::from(step.rotation_rad) * share;
        let rotation = nalgebra::UnitQuaternion::from_scaled_axis(turn) * pose.rotation();
        Pose::from_parts(position_m, &rotation)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn no_step_is_longer_than_the_controllers(
            here in postures(),
            there in postures(),
            gain in 0.1..10.0f64,
        ) {
            let step = Law { gain, ..law() }.step(&forward(&here), &forward(&there));
            let length_m = Vector3::from(step.translation_m).norm();
            let angle_rad = Vector3::from(step.rotation_rad).norm();
            prop_assert!(length_m <= MOST_M && angle_rad <= MOST_RAD);
            prop_assert!(step.clamped.translation_m.is_none() || length_m > 0.999 * MOST_M);
            prop_assert!(step.clamped.rotation_rad.is_none() || angle_rad > 0.999 * MOST_RAD);
        }

        #[test]
        fn at_the_target_and_at_rest_there_is_no_step(q_rad in postures(), lead in 0.0..3.0f64) {
            let led = ahead(&q_rad, &q_rad, 1.0, lead);
            let step = law().step(&forward(&q_rad), &forward(&led));
            prop_assert!(Vector3::from(step.translation_m).norm() < 1e-12);
            // What is left of a quaternion's last bit, three times.
            prop_assert!(Vector3::from(step.rotation_rad).norm() < 1e-7);
            prop_assert!(!step.clamped.any());
        }

        #[test]
        fn a_controller_of_first_order_reaches_the_target(
            here in postures(),
            there in postures(),
            share in 0.1..0.4f64,
        ) {
            let (mut here, there) = (forward(&here), forward(&there));
            // At a tenth of its largest step it is at every pose within these.
            for _ in 0..2_000 {
                let step = law().step(&here, &there);
                here = moved(&here, &step, share);
            }
            let (left_m, left_rad) = here.distance_to(&there);
            prop_assert!(left_m < 1e-6 && left_rad < 1e-6, "{left_m} m, {left_rad} rad");
        }
    }

    #[test]
    fn the_lead_is_that_of_one_period_however_many_have_passed() {
        let mut before = HOME_Q;
        before[0] -= 0.2;
        let by = |periods| ahead(&HOME_Q, &before, periods, 1.25)[0] - HOME_Q[0];
        assert!((by(1.0) - 0.25).abs() < 1e-12);
        assert!((by(2.0) - 0.125).abs() < 1e-12);
    }

    #[test]
    fn what_is_shortened_keeps_its_direction_and_is_told() {
        let here = forward(&HOME_Q);
        let mut there = here;
        there.position_m[0] += 0.3;
        there.position_m[1] += 0.4;
        let step = law().step(&here, &there);
        let [x, y, z] = step.translation_m;
        assert!((x - 0.03).abs() < 1e-12 && (y - 0.04).abs() < 1e-12 && z.abs() < 1e-12);
        assert!((step.clamped.translation_m.unwrap() - 1.5).abs() < 1e-9);
        assert_eq!(step.clamped.rotation_rad, None);
        there.position_m[0] = f64::NAN;
        let step = law().step(&here, &there);
        assert_eq!(step.translation_m, [0.0; 3]);
        assert_eq!(step.clamped.translation_m, Some(f64::INFINITY));
    }
}
