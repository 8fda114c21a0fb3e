//! Values and gradients of a compiled reward for many particles.

use std::sync::Arc;

use thiserror::Error;
use tiller_core::{Trajectories, TrajectoriesMut};

use super::block::{Work, run_blocks};
use super::code::{Code, Output};
use super::real::Real;
use crate::program::CompiledReward;

/// Lanes of a block when few particles are expected.
const NARROW: usize = 8;
/// Lanes of a block otherwise: 20 particles, the usual number, fit into one block.
const WIDE: usize = 24;

/// The scene that rewards speak of.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// `[K]`, metres in the robot base frame.
    pub keypoints: &'a [[f64; 3]],
    /// `[K]`: rows of a matrix whose columns are the axes of the keypoint's object in the robot base
    /// frame; empty where nothing is known of any: then they are the identity.
    pub keypoint_axes: &'a [[[f64; 3]; 3]],
}

impl<'a> From<&'a [[f64; 3]]> for Scene<'a> {
    /// Keypoints of whose axes nothing is known.
    fn from(keypoints: &'a [[f64; 3]]) -> Self {
        Self {
            keypoints,
            keypoint_axes: &[],
        }
    }
}

impl Scene<'_> {
    /// Input `index` of the once-per-call section: `3 K` numbers of keypoints, `9 K` of their axes.
    pub(crate) fn number(&self, index: usize) -> f64 {
        match index.checked_sub(3 * self.keypoints.len()) {
            None => self.keypoints[index / 3][index % 3],
            Some(index) => axis_number(self.keypoint_axes, index),
        }
    }
}

/// Number `index` of `9 K` axes, of the identity where they are not known.
pub(crate) fn axis_number(axes: &[[[f64; 3]; 3]], index: usize) -> f64 {
    let (row, column) = (index / 3 % 3, index % 3);
    match axes.get(index / 9) {
        Some(axes) => axes[row][column],
        None => f64::from(u8::from(row == column)),
    }
}

/// Why a reward could not be evaluated.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The scene has another number of keypoints than the program was compiled for.
    #[error("the program was compiled for {expected} keypoints, found {found}")]
    KeypointCount {
        /// Keypoints at compile time.
        expected: usize,
        /// Keypoints given.
        found: usize,
    },
    /// The axes of some keypoints are missing.
    #[error("the axes of {expected} keypoints are needed, or of none, found {found}")]
    AxesCount {
        /// Keypoints at compile time.
        expected: usize,
        /// Axes given.
        found: usize,
    },
    /// The reward reads what is not in the trajectories.
    #[error("the reward reads `{what}`, which the trajectories do not hold")]
    NotGiven {
        /// `rotations` or `gripper`.
        what: &'static str,
    },
    /// A buffer does not have the length that the number of particles asks for.
    #[error("`{buffer}` must hold {expected} numbers, found {found}")]
    BufferLength {
        /// Which argument.
        buffer: &'static str,
        /// Length that fits.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// The reward or its gradient is infinite or NaN for a particle. All other particles'
    /// numbers have been written and are valid.
    #[error("the reward or its gradient is not finite for particle {particle}")]
    NotFinite {
        /// First such particle.
        particle: usize,
    },
}

/// Evaluates one compiled reward. Owns all buffers: after construction nothing is allocated.
///
/// ```
/// use tiller_reward::{CompileOptions, Evaluator, compile};
///
/// let text = "
/// num_stages = 1
/// def stage1_guidance(keypoints, action_sequence):
///     return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
/// ";
/// let program = compile(text, &CompileOptions::new(1, 2))?;
/// let mut evaluator = Evaluator::<f64>::new(&program.stages[0].guidance, 20);
/// let trajectory = [0.4, 0.0, 0.2, 0.5, 0.0, 0.2]; // one particle, two points
/// let (mut value, mut gradient) = ([0.0], [0.0; 6]);
/// evaluator.evaluate(&[[0.5, 0.0, 0.3]], &trajectory, &mut value, Some(&mut gradient))?;
/// assert!((value[0] + 0.1).abs() < 1e-12);
/// assert!((gradient[5] - 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Evaluator<T: Real> {
    code: Arc<Code>,
    slots: Vec<f64>,
    keypoints: Vec<[f64; 3]>,
    keypoint_axes: Vec<[[f64; 3]; 3]>,
    /// Whether `slots` and the splatted rows belong to the keypoints and axes above.
    warm: bool,
    lanes: usize,
    #[cfg(target_arch = "x86_64")]
    avx2: bool,
    arena: Vec<T>,
    adjoints: Vec<T>,
}

impl<T: Real> Evaluator<T> {
    /// Buffers for `max_particles` particles at a time. More are accepted and run in blocks.
    #[must_use]
    pub fn new(reward: &CompiledReward, max_particles: usize) -> Self {
        Self::from_code(Arc::clone(&reward.code), max_particles)
    }

    pub(crate) fn from_code(code: Arc<Code>, max_particles: usize) -> Self {
        let lanes = if max_particles <= NARROW {
            NARROW
        } else {
            WIDE
        };
        Self {
            slots: code.new_slots(),
            keypoints: vec![[f64::NAN; 3]; code.keypoints],
            keypoint_axes: Vec::with_capacity(code.keypoints),
            warm: false,
            lanes,
            #[cfg(target_arch = "x86_64")]
            avx2: std::arch::is_x86_feature_detected!("avx2"),
            arena: vec![T::ZERO; code.rows * lanes],
            adjoints: vec![T::ZERO; code.rows * lanes],
            code,
        }
    }

    /// Bytes of the buffers that values and gradients are computed in.
    #[must_use]
    pub fn buffer_bytes(&self) -> usize {
        size_of::<T>() * (self.arena.len() + self.adjoints.len()) + size_of_val(&*self.slots)
    }

    /// The reward of every particle and, if asked for, its gradient, where it reads positions alone.
    ///
    /// `keypoints` are `K` points and `trajectories` is `[B][T + 1][3]`, both in metres in the
    /// robot base frame; the first point of a trajectory is the current position. `values` is
    /// `[B]` and decides the number of particles; `gradients` has the shape of `trajectories`.
    ///
    /// # Errors
    ///
    /// Buffers of the wrong length, another number of keypoints than at compile time, a reward that
    /// reads more, or a result that is not finite (then everything has been written all the same).
    pub fn evaluate(
        &mut self,
        keypoints: &[[f64; 3]],
        trajectories: &[T],
        values: &mut [T],
        gradients: Option<&mut [T]>,
    ) -> Result<(), EvaluateError> {
        self.evaluate_whole(
            &Scene::from(keypoints),
            &Trajectories::of_positions(trajectories),
            values,
            gradients.map(TrajectoriesMut::of_positions),
        )
    }

    /// The same for rewards that may read rotations, openings and the axes of keypoints too.
    ///
    /// What the reward does not read may be empty, in `gradients` too whatever is not wanted. What is
    /// given of `gradients` is overwritten; it is 0 for what the reward does not read or guidance may
    /// not move.
    ///
    /// # Errors
    ///
    /// As [`Evaluator::evaluate`].
    pub fn evaluate_whole(
        &mut self,
        scene: &Scene<'_>,
        trajectories: &Trajectories<'_, T>,
        values: &mut [T],
        gradients: Option<TrajectoriesMut<'_, T>>,
    ) -> Result<(), EvaluateError> {
        self.check(scene, trajectories, values.len(), gradients.as_ref())?;
        if !self.warm
            || self.keypoints != scene.keypoints
            || self.keypoint_axes != scene.keypoint_axes
        {
            self.keypoints.copy_from_slice(scene.keypoints);
            self.keypoint_axes.clear();
            self.keypoint_axes.extend_from_slice(scene.keypoint_axes);
            self.code.run_uniform(|i| scene.number(i), &mut self.slots);
            self.splat();
            self.warm = true;
        }
        let row = match self.code.output {
            Output::Row(row) => row,
            Output::Slot(slot) => {
                return uniform_result(self.slots[slot], values, gradients);
            }
        };
        let bad = if self.lanes == NARROW {
            self.run::<NARROW>(row, trajectories, values, gradients)
        } else {
            self.run::<WIDE>(row, trajectories, values, gradients)
        };
        bad.map_or(Ok(()), |particle| {
            Err(EvaluateError::NotFinite { particle })
        })
    }

    fn check(
        &self,
        scene: &Scene<'_>,
        trajectories: &Trajectories<'_, T>,
        particles: usize,
        gradients: Option<&TrajectoriesMut<'_, T>>,
    ) -> Result<(), EvaluateError> {
        let expected = self.code.keypoints;
        let found = scene.keypoints.len();
        if found != expected {
            return Err(EvaluateError::KeypointCount { expected, found });
        }
        let found = scene.keypoint_axes.len();
        if found != 0 && found != expected {
            return Err(EvaluateError::AxesCount { expected, found });
        }
        let given = [
            ("trajectories", trajectories.positions.len(), true),
            ("rotations", trajectories.rotations.len(), false),
            ("gripper", trajectories.gripper.len(), false),
        ];
        for (kind, (buffer, found, is_required)) in self.code.inputs.iter().zip(given) {
            let expected = particles * kind.width;
            if found == 0 && expected > 0 && !is_required {
                if kind.components.is_empty() {
                    continue;
                }
                return Err(EvaluateError::NotGiven { what: buffer });
            }
            expect_length(buffer, expected, found)?;
        }
        let Some(gradients) = gradients else {
            return Ok(());
        };
        let wanted = [
            ("gradients", gradients.positions.len(), true),
            ("gradients of rotations", gradients.rotations.len(), false),
            ("gradients of the gripper", gradients.gripper.len(), false),
        ];
        for (kind, (buffer, found, is_required)) in self.code.inputs.iter().zip(wanted) {
            if found > 0 || is_required {
                expect_length(buffer, particles * kind.width, found)?;
            }
        }
        Ok(())
    }

    fn splat(&mut self) {
        let lanes = self.lanes;
        for (row, &slot) in self.arena.chunks_exact_mut(lanes).zip(&self.code.splats) {
            row.fill(T::from_f64(self.slots[slot as usize]));
        }
    }

    fn run<const L: usize>(
        &mut self,
        row: usize,
        trajectories: &Trajectories<'_, T>,
        values: &mut [T],
        gradients: Option<TrajectoriesMut<'_, T>>,
    ) -> Option<usize> {
        let (arena, _) = self.arena.as_chunks_mut::<L>();
        let (adjoints, _) = self.adjoints.as_chunks_mut::<L>();
        let work = Work {
            code: &self.code,
            row,
            arena,
            adjoints,
        };
        #[cfg(target_arch = "x86_64")]
        if self.avx2 {
            return run_blocks::<T, L, true>(work, trajectories, values, gradients);
        }
        run_blocks::<T, L, false>(work, trajectories, values, gradients)
    }

    /// The same with the instructions that every processor has.
    #[cfg(test)]
    pub(crate) fn without_avx2(mut self) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            self.avx2 = false;
        }
        self
    }

    /// Whether each row of the last block is finite in lane `lane`: values and adjoints.
    pub(crate) fn inspect(&self, lane: usize) -> impl Fn(usize) -> (f64, f64) + '_ {
        move |row| {
            let place = row * self.lanes + lane;
            (self.arena[place].to_f64(), self.adjoints[place].to_f64())
        }
    }
}

fn expect_length(buffer: &'static str, expected: usize, found: usize) -> Result<(), EvaluateError> {
    if expected == found {
        Ok(())
    } else {
        Err(EvaluateError::BufferLength {
            buffer,
            expected,
            found,
        })
    }
}

/// The no-guidance stage: one number for all particles and no gradient.
fn uniform_result<T: Real>(
    value: f64,
    values: &mut [T],
    gradients: Option<TrajectoriesMut<'_, T>>,
) -> Result<(), EvaluateError> {
    values.fill(T::from_f64(value));
    if let Some(gradients) = gradients {
        gradients.positions.fill(T::ZERO);
        gradients.rotations.fill(T::ZERO);
        gradients.gripper.fill(T::ZERO);
    }
    if value.is_finite() {
        Ok(())
    } else {
        Err(EvaluateError::NotFinite { particle: 0 })
    }
}
