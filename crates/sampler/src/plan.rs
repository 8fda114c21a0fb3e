//! What is asked of a pilot and what it answers.

use std::time::Duration;

use tiller_steering::{ParticleTrace, StepTrace};

use crate::progress::Reading;

/// One moment to plan from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The keypoints now, in the program's order.
    pub keypoints: &'a [[f64; 3]],
    /// Where the chunk's displacements start.
    pub anchor_m: [f64; 3],
    /// Where the end effector is measured to be.
    pub end_effector_m: [f64; 3],
    /// Whether the stage's reward may steer; without, the policy is sampled as it is.
    pub guidance: bool,
    /// With the chunk's index the source of all randomness.
    pub seed: u64,
    /// Index of the chunk in the run.
    pub chunk_index: u64,
    /// Set if the plan is made while the one before is executed.
    pub carry_on: Option<CarryOn>,
}

/// How a plan carries on the one before it, which is being executed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CarryOn {
    /// The step of the plan under way at which the new one begins.
    pub step: usize,
    /// Steps from there on that will be executed before the new plan can take over: it repeats
    /// them.
    pub frozen: usize,
    /// Whether the goal is still the same: then what both plans cover is drawn together.
    pub same_goal: bool,
}

/// Where the time of a plan went.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timings {
    /// From request to plan.
    pub total: Duration,
    /// Inside the policy's denoiser.
    pub denoiser: Duration,
    /// Inside the reward during sampling.
    pub reward: Duration,
    /// Calls of the denoiser.
    pub denoiser_calls: usize,
}

/// A chunk to execute and everything about how it came about. `B` particles, `T` actions, `D`
/// columns, `P` trajectory points.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The chunk `[T, D]`, unnormalised, from its first executed action on.
    pub chunk: Vec<f32>,
    /// Actions `T` in `chunk`.
    pub horizon: usize,
    /// Columns `D`.
    pub action_dim: usize,
    /// How many leading actions are meant to be executed.
    pub execute_steps: usize,
    /// Whether a reward steered.
    pub steered: bool,
    /// Trajectories of all particles `[B, P, 3]`, metres.
    pub candidates: Vec<f32>,
    /// Points `P` of a trajectory.
    pub points: usize,
    /// Rewards `[B]` of the candidates: not a number for lost ones, 0 when unsteered.
    pub rewards: Vec<f32>,
    /// Normalised Feynman-Kac weights `[B]`; equal without resampling.
    pub weights: Vec<f64>,
    /// The particle that is executed.
    pub selected: usize,
    /// Progress as of this plan.
    pub reading: Reading,
    /// What `guide_scale` was multiplied by: the fading with progress, `[0, 1]`, times the growth while
    /// the stage gets nowhere; 0 when unsteered.
    pub strength: f64,
    /// Effective sample size at the end.
    pub ess: f64,
    /// How often a particle was dropped because something about it was not finite.
    pub lost: usize,
    /// One entry per sampling step.
    pub trace: Vec<StepTrace>,
    /// The sampling steps that ended in a resampling, `[R]`, rising.
    pub resamplings: Vec<usize>,
    /// For each of these in turn, `[R, B]`: the particle that particle `b` became a copy of.
    pub ancestors: Vec<u32>,
    /// Every particle's reward, gradient and trajectory in every sampling step; only if the
    /// steering's [`TraceLevel`](tiller_steering::TraceLevel) is `Full`.
    pub particle_trace: Option<ParticleTrace>,
    /// Where the time went.
    pub timings: Timings,
}
