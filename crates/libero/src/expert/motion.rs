//! Steps of the hand towards a place.

use nalgebra::{Matrix3, Vector3};
use tiller_core::{Pose, rotation};
use tiller_world::HandStep;

use tiller_world::Random;

/// Longest step, m: what the package's controller can follow is 0.0266.
pub(super) const MAX_STEP_M: f64 = 0.025;
/// Largest turn of a step, rad.
const MAX_TURN_RAD: f64 = 0.18;
/// Share of the way to a place that a step takes at most.
const APPROACH: f64 = 0.7;

/// Noise of executed steps: what is left of it from step to step, and its size in m and rad.
const NOISE_KEPT: f64 = 0.65;
const NOISE_M: f64 = 0.0066;
const NOISE_RAD: f64 = 0.01;

/// The hand points straight down, fingers apart along the base's y.
pub(super) fn down() -> Matrix3<f64> {
    Matrix3::from_diagonal(&Vector3::new(1.0, -1.0, -1.0))
}

/// The hand points along the base's -y, fingers above each other.
pub(super) fn sideways() -> Matrix3<f64> {
    Matrix3::from_columns(&[Vector3::x(), Vector3::z(), -Vector3::y()])
}

/// How a step is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Longest step, m.
    pub(super) speed_m: f64,
    /// Scale of the noise.
    pub(super) noise: f64,
}

/// A step from `anchor` towards a place and an orientation; none leaves it as it is.
pub(super) fn towards(
    anchor: &Pose,
    place: Vector3<f64>,
    orientation: Option<&Matrix3<f64>>,
    speed_m: f64,
    gripper: f64,
) -> HandStep {
    let delta = (place - anchor.position()) * APPROACH;
    let turn = orientation.map_or_else(Vector3::zeros, |wanted| {
        rotation::log(&(wanted * anchor.matrix().transpose())) * APPROACH
    });
    HandStep {
        delta_m: clipped(delta, speed_m.min(MAX_STEP_M)).into(),
        rotation_rad: clipped(turn, MAX_TURN_RAD).into(),
        gripper,
    }
}

/// No longer than that.
pub(super) fn clipped(vector: Vector3<f64>, most: f64) -> Vector3<f64> {
    vector * (most / vector.norm().max(most))
}

/// An Ornstein-Uhlenbeck process over displacement and rotation.
#[derive(Debug, Clone, Default)]
pub(super) struct Noise {
    shift_m: Vector3<f64>,
    turn_rad: Vector3<f64>,
}

impl Noise {
    /// The step pushed off its course; the noise wanders on.
    pub(super) fn push(&mut self, step: &HandStep, scale: f64, random: &mut Random) -> HandStep {
        let mut draw = |size: f64| Vector3::from_fn(|_, _| size * random.normal());
        self.shift_m = self.shift_m * NOISE_KEPT + draw(NOISE_M);
        self.turn_rad = self.turn_rad * NOISE_KEPT + draw(NOISE_RAD);
        let delta = Vector3::from(step.delta_m) + self.shift_m * scale;
        let turn = Vector3::from(step.rotation_rad) + self.turn_rad * scale;
        HandStep {
            delta_m: clipped(delta, MAX_STEP_M).into(),
            rotation_rad: clipped(turn, MAX_TURN_RAD).into(),
            gripper: step.gripper,
        }
    }
}
