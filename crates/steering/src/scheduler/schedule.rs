//! A scheduler laid out as a table of steps.

use tiller_core::Problems;

use super::config::{Clip, DiffusionSolver, FlowSolver, FlowTime, Prediction, SchedulerConfig};
use super::{
    Estimate, Level, Response, Transition, ddim, ddpm, dpm_solver_pp_2m, flow_euler, flow_heun,
    flow_sde,
};

/// All there is to know about one sampling step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Where the sample is.
    pub from: Level,
    /// Where it is taken.
    pub to: Level,
    /// How the prediction splits the sample.
    pub estimate: Estimate,
    /// How the estimates answer to a push on the noise prediction.
    pub response: Response,
    /// The scheduler's own step.
    pub transition: Transition,
    /// Factor of the change of the clean estimate since the step before; 0 in methods of first
    /// order.
    pub extrapolation: f64,
    /// Whether a second evaluation at `to` corrects the step.
    pub corrected: bool,
}

impl Step {
    pub(super) fn flow(time: FlowTime, from: Level, to: Level, transition: Transition) -> Self {
        Self {
            from,
            to,
            estimate: match time {
                FlowTime::OneToZero => Estimate::velocity(&from),
                FlowTime::ZeroToOne => Estimate::reversed_velocity(&from),
            },
            response: Response::velocity(&from),
            transition,
            extrapolation: 0.0,
            corrected: false,
        }
    }

    pub(super) fn diffusion(
        prediction: Prediction,
        from: Level,
        to: Level,
        transition: Transition,
    ) -> Self {
        Self {
            from,
            to,
            estimate: Estimate::diffusion(prediction, &from),
            response: Response::epsilon(&from),
            transition,
            extrapolation: 0.0,
            corrected: false,
        }
    }

    /// The scheduler's own step if it is stochastic enough, else the common one with `eta`.
    #[must_use]
    pub fn with_noise(&self, eta: f64) -> Transition {
        if self.transition.fresh >= self.from.fresh_noise(&self.to, eta) {
            self.transition
        } else {
            Transition::new(&self.from, &self.to, eta)
        }
    }
}

/// The steps of a scheduler from noise to data.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    steps: Vec<Step>,
    clip: Clip,
    /// Whether the noise is what the sample holds beside the clipped clean estimate, else what
    /// was predicted.
    noise_of_sample: bool,
    /// Whether a step looks back at the one before.
    looks_back: bool,
    /// Whether a step has a second evaluation.
    corrects: bool,
}

impl Schedule {
    /// Lays out the scheduler.
    ///
    /// # Errors
    /// Every mistake in the parameters at once.
    pub fn new(config: &SchedulerConfig) -> Result<Self, Problems> {
        config.validate()?;
        let (steps, noise_of_sample) = match config {
            SchedulerConfig::Flow(flow) => {
                let steps = match flow.solver {
                    FlowSolver::Euler => flow_euler::steps(flow),
                    FlowSolver::Heun => flow_heun::steps(flow),
                    FlowSolver::Sde { eta } => flow_sde::steps(flow, eta),
                };
                (steps, false)
            }
            SchedulerConfig::Diffusion(diffusion) => match diffusion.solver {
                DiffusionSolver::Ddpm { variance } => (ddpm::steps(diffusion, variance), true),
                DiffusionSolver::Ddim {
                    eta,
                    set_alpha_to_one,
                } => (ddim::steps(diffusion, eta, set_alpha_to_one), false),
                DiffusionSolver::DpmSolverPp2m => (dpm_solver_pp_2m::steps(diffusion), true),
            },
        };
        let clip = config.clip();
        Ok(Self {
            looks_back: steps.iter().any(|step| step.extrapolation != 0.0),
            corrects: steps.iter().any(|step| step.corrected),
            steps,
            clip,
            // Without clipping both are the same.
            noise_of_sample: noise_of_sample && clip != Clip::Off,
        })
    }

    /// The steps in order, at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What keeps clean estimates in range.
    #[must_use]
    pub fn clip(&self) -> Clip {
        self.clip
    }

    pub(super) fn noise_of_sample(&self) -> bool {
        self.noise_of_sample
    }

    pub(super) fn looks_back(&self) -> bool {
        self.looks_back
    }

    pub(super) fn corrects(&self) -> bool {
        self.corrects
    }
}
