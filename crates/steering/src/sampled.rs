//! What a sampling run returns.

use crate::trajectory::Start;

/// What pushed the particles in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: the policy as it is.
    Free,
    /// Repulsion between the particles.
    Diversity,
    /// The reward.
    Guided,
}

/// What happened in one sampling step (of the last inner repetition, if there were several).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepTrace {
    /// The time that the denoiser was given.
    pub time: f32,
    /// What pushed the particles.
    pub phase: Phase,
    /// Mean reward of the clean estimates that are not lost; not a number outside guidance.
    pub reward_mean: f32,
    /// Highest of these rewards; not a number outside guidance.
    pub reward_max: f32,
    /// Mean root mean square of the particles' gradients before normalisation (per normalised unit).
    pub gradient_norm: f32,
    /// What the normalised gradient was multiplied by.
    pub strength: f32,
    /// Effective sample size before a resampling; the number of particles without weights.
    pub ess: f32,
    /// Whether the particles were resampled.
    pub resampled: bool,
    /// How many particles were dropped in this step, inner repetitions included.
    pub lost: usize,
}

/// What happened to each particle in each step: `S` steps, `B` particles, `P` points.
///
/// Row `s` is about the clean estimates of step `s` as the reward sees them: before the push, or
/// after it with [`GradientPoint::Noisy`](crate::GradientPoint), before a resampling, and of the
/// last inner repetition. Particle `b` of step `s + 1` descends from particle `b` of step `s` unless
/// a resampling in step `s` says otherwise, see [`Sampled::ancestors`]. A particle that is lost has
/// no numbers (NaN) until a resampling replaces it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParticleTrace {
    /// Rewards `[S, B]`; not a number outside guidance.
    pub rewards: Vec<f32>,
    /// Root mean squares `[S, B]` of the gradients before normalisation (per normalised unit), of
    /// the repulsion's in the diversity phase; 0 where nothing pushes.
    pub gradient_norms: Vec<f32>,
    /// Trajectories of the clean estimates, `[S, B, P, 3]`, metres.
    pub trajectories: Vec<f32>,
}

/// The result of one sampling run. `B` particles, `T` steps, `D` columns, `P` trajectory points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampled {
    /// The selected chunk from `execute_start` on, `[T - execute_start, D]`, unnormalised: what is to
    /// be executed.
    pub chunk: Vec<f32>,
    /// Which particle that is: the one with the highest reward, the first of equals.
    pub selected: usize,
    /// How many particles there were.
    pub particles: usize,
    /// All final samples `[B, T, D]`, normalised; lost ones are 0.
    pub samples: Vec<f32>,
    /// All trajectories `[B, P, 3]` in metres.
    pub candidates: Vec<f32>,
    /// Where the arm is before each executed action of the selected chunk, and after the last one that
    /// counts, `[P]`: entry `k` is what a chunk that carries on at step `k` starts from.
    pub path: Vec<Start>,
    /// Rewards `[B]` of the candidates: not a number for lost ones, 0 when there was no reward.
    pub rewards: Vec<f32>,
    /// Normalised Feynman-Kac weights `[B]`; equal when there was no resampling configured.
    pub weights: Vec<f64>,
    /// One entry per sampling step.
    pub trace: Vec<StepTrace>,
    /// The steps that ended in a resampling, `[R]`, rising.
    pub resamplings: Vec<usize>,
    /// For each of these in turn, `[R, B]`: the particle that particle `b` became a copy of.
    pub ancestors: Vec<u32>,
    /// Every particle's way through the steps; only with
    /// [`TraceLevel::Full`](crate::TraceLevel::Full).
    pub particle_trace: Option<ParticleTrace>,
    /// How often a particle was dropped because something about it was not finite.
    pub lost: usize,
    /// Fading of the guidance with progress, `s(progress)`, in `[0, 1]`; 0 without a reward.
    pub strength: f32,
    /// The effective sample size at the end.
    pub ess: f32,
}

impl Sampled {
    /// The whole sample of a particle, `[T, D]`, normalised: of the selected one what
    /// [`Steerer::carry_on`](crate::Steerer::carry_on) takes for the plan under way.
    ///
    /// # Panics
    /// When there is no such particle.
    #[must_use]
    pub fn sample_of(&self, particle: usize) -> &[f32] {
        own(&self.samples, self.particles, particle)
    }

    /// The trajectory of a particle, `[P, 3]`, metres.
    ///
    /// # Panics
    /// When there is no such particle.
    #[must_use]
    pub fn trajectory_of(&self, particle: usize) -> &[f32] {
        own(&self.candidates, self.particles, particle)
    }
}

fn own(values: &[f32], particles: usize, particle: usize) -> &[f32] {
    let size = values.len() / particles;
    &values[particle * size..][..size]
}
