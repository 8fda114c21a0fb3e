//! What a planner answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tiller_steering::{ParticleTrace, Start, StepTrace};

use super::request::UnderWay;

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
/// columns, `P` trajectory points. What only people look at, from `weights` on, is not recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The particle that is executed.
    pub selected: usize,
    /// That particle, normalised `[T, D]`, from row 0 of the policy's horizon on.
    pub sample: Vec<f32>,
    /// Where the arm is before each executed action of it and after the last one that counts, `[P]`.
    pub path: Vec<Start>,
    /// What `guide_scale` was multiplied by: the fading with progress, `[0, 1]`, times the gain; 0
    /// when unsteered.
    pub strength: f64,
    /// Effective sample size at the end.
    pub ess: f64,
    /// How often a particle was dropped because something about it was not finite.
    pub lost: usize,
    /// Normalised Feynman-Kac weights `[B]`; equal without resampling.
    #[serde(skip)]
    pub weights: Vec<f64>,
    /// One entry per sampling step.
    #[serde(skip)]
    pub trace: Vec<StepTrace>,
    /// The sampling steps that ended in a resampling, `[R]`, rising.
    #[serde(skip)]
    pub resamplings: Vec<usize>,
    /// For each of these in turn, `[R, B]`: the particle that particle `b` became a copy of.
    #[serde(skip)]
    pub ancestors: Vec<u32>,
    /// Every particle's reward, gradient and trajectory in every sampling step; only if the
    /// steering's [`TraceLevel`](tiller_steering::TraceLevel) is `Full`.
    #[serde(skip)]
    pub particle_trace: Option<ParticleTrace>,
    /// Where the time went.
    #[serde(skip)]
    pub timings: Timings,
}

impl Plan {
    /// The selected trajectory, `[P, 3]`, m.
    #[must_use]
    pub fn selected_trajectory(&self) -> &[f32] {
        let width = self.points * 3;
        &self.candidates[self.selected * width..][..width]
    }

    /// Reward of the selected trajectory; 0 when unsteered.
    #[must_use]
    pub fn selected_reward(&self) -> f64 {
        self.rewards
            .get(self.selected)
            .map_or(0.0, |reward| f64::from(*reward))
    }

    /// What the next plan may repeat of this one.
    #[must_use]
    pub fn under_way(&self) -> UnderWay {
        UnderWay {
            sample: self.sample.clone(),
            openings: self.path.iter().map(|place| place.opening).collect(),
        }
    }
}
