//! Which scheduler, and its parameters.

use std::ops::Bound;

use tiller_core::Problems;

/// Longest sampling run that is accepted.
const MAX_STEPS: usize = 10_000;
/// Longest training schedule that is accepted: bounds what a bundle can make the process allocate.
const MAX_TRAIN_STEPS: usize = 100_000;

/// How a policy's samples get from noise to data.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum SchedulerConfig {
    /// Flow matching.
    Flow(FlowConfig),
    /// Diffusion.
    Diffusion(DiffusionConfig),
}

/// Flow matching: `x_t = t * noise + (1 - t) * data`, equal steps from `t = 1` to 0.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FlowConfig {
    /// How the flow is integrated.
    pub solver: FlowSolver,
    /// Sampling steps; 1 to 10 000.
    pub steps: usize,
    /// The policy's own direction of time.
    pub time: FlowTime,
    /// What keeps clean estimates in range.
    pub clip: Clip,
}

impl Default for FlowConfig {
    /// Ten Euler steps for actions normalised to `[-1, 1]`.
    fn default() -> Self {
        Self {
            solver: FlowSolver::Euler,
            steps: 10,
            time: FlowTime::OneToZero,
            clip: Clip::Range(1.0),
        }
    }
}

/// How a flow is integrated.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum FlowSolver {
    /// Euler's method, one evaluation a step.
    Euler,
    /// Heun's method, two evaluations a step (one in the last).
    Heun,
    /// The stochastic equation with the flow's marginals.
    Sde {
        /// Fresh noise, from 0 (Euler) to 1 (ancestral).
        eta: f64,
    },
}

/// What a flow-matching policy calls time, and so the sign of its velocity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FlowTime {
    /// 1 is noise and 0 data; the velocity is `noise - data`.
    OneToZero,
    /// 0 is noise and 1 data; the velocity is `data - noise`.
    ZeroToOne,
}

/// Diffusion: `x_t = sqrt(abar_t) * data + sqrt(1 - abar_t) * noise`. Names and meanings are those
/// of Hugging Face diffusers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DiffusionConfig {
    /// How the sample is taken from one level to the next.
    pub solver: DiffusionSolver,
    /// What the denoiser predicts.
    pub prediction: Prediction,
    /// Sampling steps; at most `train_steps`.
    pub steps: usize,
    /// Steps of the schedule that the policy was trained on; 1 to 100 000.
    pub train_steps: usize,
    /// Variances of the training schedule.
    pub betas: BetaSchedule,
    /// Which training steps are visited.
    pub spacing: Spacing,
    /// Added to the training steps of [`Spacing::Leading`].
    pub steps_offset: usize,
    /// What keeps clean estimates in range.
    pub clip: Clip,
}

impl Default for DiffusionConfig {
    /// Ten DDIM steps, otherwise what LeRobot's diffusion policies are trained with.
    fn default() -> Self {
        Self {
            solver: DiffusionSolver::Ddim {
                eta: 0.0,
                set_alpha_to_one: true,
            },
            prediction: Prediction::Epsilon,
            steps: 10,
            train_steps: 100,
            betas: BetaSchedule::SquaredCosCapV2,
            spacing: Spacing::Leading,
            steps_offset: 0,
            clip: Clip::Range(1.0),
        }
    }
}

/// How a diffusion sample is taken from one level to the next.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum DiffusionSolver {
    /// Ancestral sampling (Ho et al. 2020).
    Ddpm {
        /// Variance of the fresh noise.
        variance: Variance,
    },
    /// Denoising diffusion implicit models (Song et al. 2021).
    Ddim {
        /// Fresh noise, from 0 (deterministic) to 1 (ancestral).
        eta: f64,
        /// Whether the last step leads to the data themselves, else to the first training level.
        set_alpha_to_one: bool,
    },
    /// DPM-Solver++ (2M), midpoint (Lu et al. 2022); the last step is of first order.
    DpmSolverPp2m,
}

/// Variance of DDPM's fresh noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Variance {
    /// That of the posterior of a known clean sample.
    FixedSmall,
    /// That of the forward step, `beta_t`.
    FixedLarge,
}

/// What a diffusion denoiser predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Prediction {
    /// The noise.
    Epsilon,
    /// The clean sample.
    Sample,
    /// `sqrt(abar) * noise - sqrt(1 - abar) * data`.
    VPrediction,
}

/// Variances `beta_t` of the training schedule.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum BetaSchedule {
    /// From a squared cosine, at most 0.999 (Nichol and Dhariwal 2021).
    SquaredCosCapV2,
    /// Equal steps from `start` to `end`.
    Linear {
        /// The first variance, in `(0, 1)`.
        start: f64,
        /// The last variance, in `(0, 1)`.
        end: f64,
    },
    /// Squares of equal steps between the roots of `start` and `end`.
    ScaledLinear {
        /// The first variance, in `(0, 1)`.
        start: f64,
        /// The last variance, in `(0, 1)`.
        end: f64,
    },
}

/// Which of the training steps are visited (Lin et al. 2023, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Spacing {
    /// Multiples of a step, from 0 on.
    Leading,
    /// Multiples of a step, down from the last.
    Trailing,
    /// Evenly from the first to the last.
    Linspace,
}

/// What keeps clean estimates in range.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Clip {
    /// Nothing.
    Off,
    /// Numbers are kept in `[-range, range]`.
    Range(f64),
    /// Dynamic thresholding (Saharia et al. 2022): `s`, the quantile `ratio` of a particle's
    /// magnitudes kept in `[1, max]`, becomes the range, and the particle is divided by it.
    Dynamic {
        /// Which quantile, in `[0, 1]`.
        ratio: f64,
        /// The largest range; at least 1.
        max: f64,
    },
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self::Flow(FlowConfig::default())
    }
}

impl SchedulerConfig {
    /// Sampling steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        match self {
            Self::Flow(flow) => flow.steps,
            Self::Diffusion(diffusion) => diffusion.steps,
        }
    }

    /// The same with another number of sampling steps.
    #[must_use]
    pub fn with_steps(mut self, steps: usize) -> Self {
        match &mut self {
            Self::Flow(flow) => flow.steps = steps,
            Self::Diffusion(diffusion) => diffusion.steps = steps,
        }
        self
    }

    /// What keeps clean estimates in range.
    #[must_use]
    pub fn clip(&self) -> Clip {
        match self {
            Self::Flow(flow) => flow.clip,
            Self::Diffusion(diffusion) => diffusion.clip,
        }
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// Every mistake at once, each with the parameter's name and what was expected.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        match self {
            Self::Flow(flow) => {
                problems.range("scheduler.steps", flow.steps, 1, MAX_STEPS);
                if let FlowSolver::Sde { eta } = flow.solver {
                    problems.number("scheduler.eta", eta, 0.0..=1.0);
                }
            }
            Self::Diffusion(diffusion) => diffusion.check(&mut problems),
        }
        match self.clip() {
            Clip::Off => {}
            Clip::Range(range) => {
                let positive = (Bound::Excluded(0.0), Bound::Unbounded);
                problems.number("scheduler.clip_sample", range, positive);
            }
            Clip::Dynamic { ratio, max } => {
                problems.number("scheduler.thresholding.ratio", ratio, 0.0..=1.0);
                problems.number("scheduler.thresholding.max", max, 1.0..);
            }
        }
        problems.finish(())
    }
}

impl DiffusionConfig {
    /// Points that the spacing lays over the training schedule: DPM-Solver++ counts the data too.
    pub(super) fn points(&self) -> usize {
        match (self.solver, self.spacing) {
            (DiffusionSolver::DpmSolverPp2m, Spacing::Leading | Spacing::Linspace) => {
                self.steps.saturating_add(1)
            }
            _ => self.steps,
        }
    }

    fn check(&self, problems: &mut Problems) {
        problems.range(
            "scheduler.train_steps",
            self.train_steps,
            1,
            MAX_TRAIN_STEPS,
        );
        // As many as can be visited without visiting one twice.
        let spare = self.points() - self.steps.min(self.points());
        let most = self.train_steps.saturating_sub(spare).clamp(1, MAX_STEPS);
        problems.range("scheduler.steps", self.steps, 1, most);
        let points = self.points().max(1);
        let first = (points - 1) * (self.train_steps / points);
        match self.spacing {
            Spacing::Leading => problems.require(
                "scheduler.steps_offset",
                self.steps_offset.saturating_add(first) < self.train_steps.max(1),
                format!("at most {}", self.train_steps.saturating_sub(first + 1)),
                self.steps_offset,
            ),
            Spacing::Trailing | Spacing::Linspace => problems.require(
                "scheduler.steps_offset",
                self.steps_offset == 0,
                "0 unless the spacing is leading",
                self.steps_offset,
            ),
        }
        if let BetaSchedule::Linear { start, end } | BetaSchedule::ScaledLinear { start, end } =
            self.betas
        {
            let open = (Bound::Excluded(0.0), Bound::Excluded(1.0));
            problems.number("scheduler.beta_start", start, open);
            problems.number("scheduler.beta_end", end, open);
        }
        if let DiffusionSolver::Ddim { eta, .. } = self.solver {
            problems.number("scheduler.eta", eta, 0.0..=1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(config: SchedulerConfig) -> Vec<String> {
        config.validate().err().map_or_else(Vec::new, |e| {
            e.found.iter().map(ToString::to_string).collect()
        })
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let diffusion = DiffusionConfig {
            solver: DiffusionSolver::Ddim {
                eta: 1.5,
                set_alpha_to_one: true,
            },
            steps: 101,
            betas: BetaSchedule::Linear {
                start: 0.0,
                end: f64::NAN,
            },
            spacing: Spacing::Trailing,
            steps_offset: 1,
            clip: Clip::Dynamic {
                ratio: 2.0,
                max: 0.5,
            },
            ..DiffusionConfig::default()
        };
        assert_eq!(
            mistakes(SchedulerConfig::Diffusion(diffusion)),
            [
                "scheduler.steps: expected 1 to 100, found 101",
                "scheduler.steps_offset: expected 0 unless the spacing is leading, found 1",
                "scheduler.beta_start: expected a number above 0 and below 1, found 0",
                "scheduler.beta_end: expected a number above 0 and below 1, found NaN",
                "scheduler.eta: expected a number from 0 to 1, found 1.5",
                "scheduler.thresholding.ratio: expected a number from 0 to 1, found 2",
                "scheduler.thresholding.max: expected a number of at least 1, found 0.5",
            ]
        );
        let flow = FlowConfig {
            solver: FlowSolver::Sde { eta: -1.0 },
            steps: 0,
            clip: Clip::Range(f64::NAN),
            ..FlowConfig::default()
        };
        assert_eq!(mistakes(SchedulerConfig::Flow(flow)).len(), 3);
    }

    #[test]
    fn training_steps_are_neither_exceeded_nor_visited_twice() {
        let with = |solver, spacing, steps, steps_offset| {
            mistakes(SchedulerConfig::Diffusion(DiffusionConfig {
                solver,
                spacing,
                steps,
                steps_offset,
                ..DiffusionConfig::default()
            }))
        };
        let ddim = DiffusionConfig::default().solver;
        let dpm = DiffusionSolver::DpmSolverPp2m;
        assert!(with(ddim, Spacing::Leading, 100, 0).is_empty());
        assert!(with(ddim, Spacing::Leading, 10, 9).is_empty());
        assert_eq!(
            with(ddim, Spacing::Leading, 10, 10),
            ["scheduler.steps_offset: expected at most 9, found 10"]
        );
        assert!(with(dpm, Spacing::Trailing, 100, 0).is_empty());
        assert!(with(dpm, Spacing::Linspace, 99, 0).is_empty());
        assert_eq!(
            with(dpm, Spacing::Linspace, 100, 0),
            ["scheduler.steps: expected 1 to 99, found 100"]
        );
        for steps in [0, usize::MAX] {
            assert!(!with(dpm, Spacing::Leading, steps, usize::MAX).is_empty());
        }
    }
}
