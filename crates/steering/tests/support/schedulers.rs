//! All schedulers, and policies that speak to any of them.

use tiller_steering::scheduler::{
    BetaSchedule, Clip, DiffusionConfig, DiffusionSolver, FlowConfig, FlowSolver, FlowTime, Level,
    Prediction, Schedule, SchedulerConfig, Spacing, Step, Variance,
};
use tiller_steering::{Denoiser, DenoiserError, SteeringConfig};

use super::MixturePolicy;

/// The policy's data: one number, Gaussian.
pub(crate) const MEAN: f64 = 0.4;
pub(crate) const DEVIATION: f64 = 0.6;

pub(crate) fn flow(solver: FlowSolver, steps: usize) -> SchedulerConfig {
    SchedulerConfig::Flow(FlowConfig {
        solver,
        steps,
        time: FlowTime::OneToZero,
        clip: Clip::Off,
    })
}

pub(crate) fn diffusion(
    solver: DiffusionSolver,
    steps: usize,
    train_steps: usize,
) -> SchedulerConfig {
    SchedulerConfig::Diffusion(DiffusionConfig {
        solver,
        steps,
        train_steps,
        clip: Clip::Off,
        ..DiffusionConfig::default()
    })
}

pub(crate) const fn ddim(eta: f64) -> DiffusionSolver {
    DiffusionSolver::Ddim {
        eta,
        set_alpha_to_one: true,
    }
}

pub(crate) const fn ddpm(variance: Variance) -> DiffusionSolver {
    DiffusionSolver::Ddpm { variance }
}

pub(crate) const DPM: DiffusionSolver = DiffusionSolver::DpmSolverPp2m;

/// Every method in `steps` steps, with some variety in the rest, clean estimates kept in
/// `[-1, 1]`.
pub(crate) fn all(steps: usize) -> Vec<(&'static str, SchedulerConfig)> {
    let flow = |solver, time| {
        SchedulerConfig::Flow(FlowConfig {
            solver,
            steps,
            time,
            clip: Clip::Range(1.0),
        })
    };
    let diffusion = |solver, prediction, spacing, betas| {
        SchedulerConfig::Diffusion(DiffusionConfig {
            solver,
            prediction,
            steps,
            train_steps: 1000,
            betas,
            spacing,
            ..DiffusionConfig::default()
        })
    };
    let ddpm = |variance| DiffusionSolver::Ddpm { variance };
    let ddim = |eta| DiffusionSolver::Ddim {
        eta,
        set_alpha_to_one: true,
    };
    let (cosine, linear) = (
        BetaSchedule::SquaredCosCapV2,
        BetaSchedule::Linear {
            start: 0.0001,
            end: 0.02,
        },
    );
    let dpm = DiffusionSolver::DpmSolverPp2m;
    vec![
        ("Euler", flow(FlowSolver::Euler, FlowTime::OneToZero)),
        (
            "Euler, 0 to 1",
            flow(FlowSolver::Euler, FlowTime::ZeroToOne),
        ),
        ("Heun", flow(FlowSolver::Heun, FlowTime::OneToZero)),
        ("Heun, 0 to 1", flow(FlowSolver::Heun, FlowTime::ZeroToOne)),
        (
            "SDE",
            flow(FlowSolver::Sde { eta: 0.7 }, FlowTime::OneToZero),
        ),
        (
            "DDPM",
            diffusion(
                ddpm(Variance::FixedSmall),
                Prediction::Epsilon,
                Spacing::Leading,
                cosine,
            ),
        ),
        (
            "DDPM, large variance",
            diffusion(
                ddpm(Variance::FixedLarge),
                Prediction::Sample,
                Spacing::Leading,
                linear,
            ),
        ),
        (
            "DDIM",
            diffusion(ddim(0.0), Prediction::Epsilon, Spacing::Leading, cosine),
        ),
        (
            "DDIM, eta 0.5",
            diffusion(ddim(0.5), Prediction::VPrediction, Spacing::Leading, linear),
        ),
        (
            "DPM-Solver++",
            diffusion(dpm, Prediction::Epsilon, Spacing::Leading, cosine),
        ),
        (
            "DPM-Solver++, v",
            diffusion(dpm, Prediction::VPrediction, Spacing::Linspace, linear),
        ),
    ]
}

/// The same without clipping.
pub(crate) fn unclipped(mut config: SchedulerConfig) -> SchedulerConfig {
    match &mut config {
        SchedulerConfig::Flow(flow) => flow.clip = Clip::Off,
        SchedulerConfig::Diffusion(diffusion) => diffusion.clip = Clip::Off,
    }
    config
}

/// What a denoiser for `config` says of a sample that is `clean` with `noise` on it.
pub(crate) fn told(config: &SchedulerConfig, level: &Level, clean: f64, noise: f64) -> f64 {
    match config {
        SchedulerConfig::Flow(flow) => match flow.time {
            FlowTime::OneToZero => noise - clean,
            FlowTime::ZeroToOne => clean - noise,
        },
        SchedulerConfig::Diffusion(diffusion) => match diffusion.prediction {
            Prediction::Epsilon => noise,
            Prediction::Sample => clean,
            Prediction::VPrediction => level.signal * noise - level.noise * clean,
        },
    }
}

/// The exact denoiser of a mixture, whatever the scheduler wants to hear.
pub(crate) struct Told {
    pub(crate) mixture: MixturePolicy,
    pub(crate) config: SchedulerConfig,
    levels: Vec<Level>,
}

impl Told {
    pub(crate) fn new(mixture: MixturePolicy, config: &SchedulerConfig) -> Self {
        let schedule = Schedule::new(config).unwrap();
        Self {
            mixture,
            config: config.clone(),
            levels: schedule.steps().iter().map(|step| step.from).collect(),
        }
    }
}

impl Denoiser for Told {
    fn horizon(&self) -> usize {
        self.mixture.horizon
    }

    fn action_dim(&self) -> usize {
        self.mixture.dim
    }

    fn predict(
        &mut self,
        sample: &[f32],
        _: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        let level = *self
            .levels
            .iter()
            .find(|level| level.time as f32 == time)
            .ok_or_else(|| DenoiserError::new("a time that the schedule does not name"))?;
        let config = &self.config;
        self.mixture
            .predict_as(sample, &level, out, |clean, noise| {
                told(config, &level, clean, noise)
            });
        Ok(())
    }
}

/// What the exact denoiser of the Gaussian says of each number.
pub(crate) fn exact(config: &SchedulerConfig, step: &Step, x: &[f64]) -> Vec<f64> {
    let (signal, level) = (step.from.signal, step.from.noise);
    let variance = (signal * DEVIATION).powi(2) + level * level;
    x.iter()
        .map(|x| {
            let off = x - signal * MEAN;
            let clean = MEAN + signal * DEVIATION.powi(2) / variance * off;
            told(config, &step.from, clean, level / variance * off)
        })
        .collect()
}

/// Sampling without any steering.
pub(crate) fn alone(scheduler: SchedulerConfig, particles: usize) -> SteeringConfig {
    SteeringConfig {
        particles,
        unsteered_particles: particles,
        scheduler,
        guide_scale: 0.0,
        diversity: None,
        feynman_kac: None,
        ..SteeringConfig::default()
    }
}

/// A policy of one action with three Gaussian numbers.
pub(crate) fn gaussian(mean: f64, deviation: f64) -> MixturePolicy {
    MixturePolicy::gaussian(1, 3, vec![mean; 3], deviation)
}
