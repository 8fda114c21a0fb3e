//! What a sampling run returns.

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
    /// Rewards `[B]` of the candidates: not a number for lost ones, 0 when there was no reward.
    pub rewards: Vec<f32>,
    /// Normalised Feynman-Kac weights `[B]`; equal when there was no resampling configured.
    pub weights: Vec<f64>,
    /// One entry per sampling step.
    pub trace: Vec<StepTrace>,
    /// For each resampling in turn, `[B]`: the particle that particle `b` became a copy of.
    pub ancestors: Vec<u32>,
    /// How often a particle was dropped because something about it was not finite.
    pub lost: usize,
    /// Fading of the guidance with progress, `s(progress)`, in `[0, 1]`; 0 without a reward.
    pub strength: f32,
    /// The effective sample size at the end.
    pub ess: f32,
}
