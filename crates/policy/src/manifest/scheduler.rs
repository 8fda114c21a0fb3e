//! How the policy's samples get from noise to data.

use serde::Deserialize;
use tiller_core::Problems;
use tiller_steering::scheduler::{
    BetaSchedule, Clip, DiffusionConfig, DiffusionSolver, FlowConfig, FlowSolver, FlowTime,
    Prediction, SchedulerConfig, Spacing, Variance,
};

/// Most sampling steps that are accepted.
const MAX_STEPS: usize = 1000;
/// Longest training schedule that the sampler accepts.
const MAX_TRAIN_STEPS: usize = 100_000;
/// The values that diffusers has for what is left out.
const DEFAULT_BETAS: (f64, f64) = (0.0001, 0.02);

/// The sampler that the policy was trained for. Names and meanings are those of Hugging Face
/// diffusers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduler {
    /// `flow_euler`, `flow_heun`, `ddpm`, `ddim` or `dpm_solver_pp_2m`.
    pub kind: String,
    /// Sampling steps that the policy was validated with.
    pub steps: usize,
    /// Flow: direction of time. `noise_to_data_1_to_0`: noise at 1, data at 0, the velocity is
    /// noise minus data. `noise_to_data_0_to_1`: noise at 0, data at 1, data minus noise.
    pub time: Option<String>,
    /// Diffusion: steps of the training schedule.
    pub train_steps: Option<usize>,
    /// Diffusion: `squaredcos_cap_v2`, `linear` or `scaled_linear`.
    pub beta_schedule: Option<String>,
    /// `linear`, `scaled_linear`: the first variance; 0.0001 when left out.
    pub beta_start: Option<f64>,
    /// `linear`, `scaled_linear`: the last variance; 0.02 when left out.
    pub beta_end: Option<f64>,
    /// Diffusion: which training steps are visited: `leading`, `trailing` or `linspace`.
    pub spacing: Option<String>,
    /// `leading`: added to the training steps; 0 when left out.
    pub steps_offset: Option<usize>,
    /// Diffusion: clean estimates are kept in `[-clip_sample, clip_sample]`; not when left out.
    pub clip_sample: Option<f64>,
    /// Diffusion: dynamic thresholding in place of clipping.
    pub thresholding: Option<Thresholding>,
    /// `ddpm`: `fixed_small`, also when left out, or `fixed_large`.
    pub variance: Option<String>,
    /// `ddim`: whether the last step leads to the data themselves; true when left out.
    pub set_alpha_to_one: Option<bool>,
    /// `ddim`: fresh noise from 0, also when left out, to 1.
    pub eta: Option<f64>,
}

/// Dynamic thresholding of clean estimates.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholding {
    /// Which quantile of the magnitudes becomes the range, in [0, 1].
    pub ratio: f64,
    /// The largest range, at least 1.
    pub max: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Family {
    Flow,
    Diffusion,
}

/// The sampler that `kind`, `prediction` and the scheduler's own keys mean together; `None` when it
/// adds to `problems`. Clean estimates of a flow are kept in `[-1, 1]` if the actions are `bounded`
/// to it.
///
/// What is missing or unknown is replaced by something harmless, so that the rest can be judged
/// too.
pub(super) fn read(
    kind: &str,
    prediction: &str,
    scheduler: &Scheduler,
    bounded: bool,
    problems: &mut Problems,
) -> Option<SchedulerConfig> {
    let families = [
        ("flow_matching", Family::Flow),
        ("diffusion", Family::Diffusion),
    ];
    let before = problems.found.len();
    let chosen = problems.choice("kind", kind, &families);
    // Of a kind that is unknown the scheduler tells what the rest should be.
    let meant = match scheduler.kind.as_str() {
        "flow_euler" | "flow_heun" => Some(Family::Flow),
        "ddpm" | "ddim" | "dpm_solver_pp_2m" => Some(Family::Diffusion),
        _ => None,
    };
    let config = match chosen.or(meant) {
        Some(Family::Flow) => {
            let _ = problems.choice("prediction", prediction, &[("velocity", ())]);
            SchedulerConfig::Flow(scheduler.read_flow(bounded, problems))
        }
        Some(Family::Diffusion) => {
            let predictions = [
                ("epsilon", Prediction::Epsilon),
                ("sample", Prediction::Sample),
                ("v_prediction", Prediction::VPrediction),
            ];
            let prediction = problems.choice("prediction", prediction, &predictions);
            SchedulerConfig::Diffusion(scheduler.read_diffusion(prediction, problems))
        }
        None => {
            let known = "`flow_euler`, `flow_heun`, `ddpm`, `ddim` or `dpm_solver_pp_2m`";
            problems.push("scheduler.kind", known, format!("`{}`", scheduler.kind));
            SchedulerConfig::default().with_steps(scheduler.steps)
        }
    };
    problems.range("scheduler.steps", scheduler.steps, 1, MAX_STEPS);
    for problem in config.validate().err().unwrap_or_default().found {
        if !problems.found.iter().any(|p| p.name == problem.name) {
            problems.found.push(problem);
        }
    }
    (problems.found.len() == before).then_some(config)
}

impl Scheduler {
    fn read_flow(&self, bounded: bool, problems: &mut Problems) -> FlowConfig {
        let why = "in flow matching";
        let solvers = [
            ("flow_euler", FlowSolver::Euler),
            ("flow_heun", FlowSolver::Heun),
        ];
        let solver = problems.choice("scheduler.kind", &self.kind, &solvers);
        let directions = [
            ("noise_to_data_1_to_0", FlowTime::OneToZero),
            ("noise_to_data_0_to_1", FlowTime::ZeroToOne),
        ];
        let time = problems
            .present("scheduler.time", self.time.as_deref(), why)
            .and_then(|time| problems.choice("scheduler.time", time, &directions));
        problems.absent("scheduler.train_steps", &self.train_steps, why);
        problems.absent("scheduler.beta_schedule", &self.beta_schedule, why);
        problems.absent("scheduler.beta_start", &self.beta_start, why);
        problems.absent("scheduler.beta_end", &self.beta_end, why);
        problems.absent("scheduler.spacing", &self.spacing, why);
        problems.absent("scheduler.steps_offset", &self.steps_offset, why);
        problems.absent("scheduler.clip_sample", &self.clip_sample, why);
        problems.absent("scheduler.thresholding", &self.thresholding, why);
        problems.absent("scheduler.variance", &self.variance, why);
        problems.absent("scheduler.set_alpha_to_one", &self.set_alpha_to_one, why);
        problems.absent("scheduler.eta", &self.eta, why);
        FlowConfig {
            solver: solver.unwrap_or(FlowSolver::Euler),
            steps: self.steps,
            time: time.unwrap_or(FlowTime::OneToZero),
            clip: if bounded { Clip::Range(1.0) } else { Clip::Off },
        }
    }

    fn read_diffusion(
        &self,
        prediction: Option<Prediction>,
        problems: &mut Problems,
    ) -> DiffusionConfig {
        let why = "in diffusion";
        problems.absent("scheduler.time", &self.time, why);
        let solver = self.read_solver(problems);
        let train_steps = problems.present("scheduler.train_steps", self.train_steps, why);
        let betas = self.read_betas(problems);
        let spacings = [
            ("leading", Spacing::Leading),
            ("trailing", Spacing::Trailing),
            ("linspace", Spacing::Linspace),
        ];
        let spacing = problems
            .present("scheduler.spacing", self.spacing.as_deref(), why)
            .and_then(|spacing| problems.choice("scheduler.spacing", spacing, &spacings));
        let clip = match (self.clip_sample, self.thresholding) {
            (None, None) => Clip::Off,
            (Some(range), None) => Clip::Range(range),
            (clip_sample, Some(Thresholding { ratio, max })) => {
                let why = "beside scheduler.thresholding";
                problems.absent("scheduler.clip_sample", &clip_sample, why);
                Clip::Dynamic { ratio, max }
            }
        };
        DiffusionConfig {
            solver,
            prediction: prediction.unwrap_or(Prediction::Epsilon),
            steps: self.steps,
            train_steps: train_steps.unwrap_or(MAX_TRAIN_STEPS),
            betas: betas.unwrap_or(BetaSchedule::SquaredCosCapV2),
            spacing: spacing.unwrap_or(Spacing::Leading),
            steps_offset: self.steps_offset.unwrap_or(0),
            clip,
        }
    }

    fn read_solver(&self, problems: &mut Problems) -> DiffusionSolver {
        let variances = [
            ("fixed_small", Variance::FixedSmall),
            ("fixed_large", Variance::FixedLarge),
        ];
        let variance = self.variance.as_deref().unwrap_or("fixed_small");
        let variance = problems.choice("scheduler.variance", variance, &variances);
        let ddpm = DiffusionSolver::Ddpm {
            variance: variance.unwrap_or(Variance::FixedSmall),
        };
        let ddim = DiffusionSolver::Ddim {
            eta: self.eta.unwrap_or(0.0),
            set_alpha_to_one: self.set_alpha_to_one.unwrap_or(true),
        };
        let solvers = [
            ("ddpm", ddpm),
            ("ddim", ddim),
            ("dpm_solver_pp_2m", DiffusionSolver::DpmSolverPp2m),
        ];
        let Some(solver) = problems.choice("scheduler.kind", &self.kind, &solvers) else {
            return ddim;
        };
        let why = format!("with `{}`", self.kind);
        if self.kind != "ddpm" {
            problems.absent("scheduler.variance", &self.variance, &why);
        }
        if self.kind != "ddim" {
            problems.absent("scheduler.set_alpha_to_one", &self.set_alpha_to_one, &why);
            problems.absent("scheduler.eta", &self.eta, &why);
        }
        solver
    }

    fn read_betas(&self, problems: &mut Problems) -> Option<BetaSchedule> {
        let start = self.beta_start.unwrap_or(DEFAULT_BETAS.0);
        let end = self.beta_end.unwrap_or(DEFAULT_BETAS.1);
        let schedules = [
            ("squaredcos_cap_v2", BetaSchedule::SquaredCosCapV2),
            ("linear", BetaSchedule::Linear { start, end }),
            ("scaled_linear", BetaSchedule::ScaledLinear { start, end }),
        ];
        let name = self.beta_schedule.as_deref();
        let name = problems.present("scheduler.beta_schedule", name, "in diffusion")?;
        let schedule = problems.choice("scheduler.beta_schedule", name, &schedules)?;
        if schedule == BetaSchedule::SquaredCosCapV2 {
            let why = "with `squaredcos_cap_v2`";
            problems.absent("scheduler.beta_start", &self.beta_start, why);
            problems.absent("scheduler.beta_end", &self.beta_end, why);
        }
        Some(schedule)
    }
}
