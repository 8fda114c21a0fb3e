//! Every scheduler against diffusers: 1e-9 in double precision, 1e-5 in single.
//!
//! `schedulers.json` was given; `diffusers.json` is written by `fixtures/generate.py`.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::Value;
use support::golden::{assert_close, fixture, numbers};
use support::walk::walk;
use tiller_steering::Real;
use tiller_steering::scheduler::{
    BetaSchedule, Clip, DiffusionConfig, DiffusionSolver, Estimate, FlowConfig, FlowSolver,
    FlowTime, Level, Prediction, Schedule, SchedulerConfig, Solver, Spacing, Transition, Variance,
};

const DOUBLE: f64 = 1e-9;
const SINGLE: f64 = 1e-5;

/// A linear model, as recorded: `gain * x + bias`.
struct Model {
    x: Vec<f64>,
    bias: Vec<f64>,
    gain: f64,
    noise: Vec<Vec<f64>>,
    /// Numbers in a particle.
    stride: usize,
}

/// What a run leaves behind after each step.
struct Recorded {
    time: f64,
    clean: Vec<f64>,
    x_next: Vec<f64>,
}

impl Model {
    fn given() -> Self {
        let fixture = fixture("schedulers.json");
        let rows = fixture["variance_noise"].as_array().unwrap();
        Self {
            x: numbers(&fixture["x_init"]),
            bias: numbers(&fixture["F"]),
            gain: 0.1,
            noise: rows.iter().map(numbers).collect(),
            stride: 12,
        }
    }

    fn generated(fixture: &Value) -> Self {
        let rows = fixture["noise"].as_array().unwrap();
        Self {
            x: numbers(&fixture["x"]),
            bias: numbers(&fixture["bias"]),
            gain: fixture["gain"].as_f64().unwrap(),
            noise: rows.iter().map(numbers).collect(),
            stride: numbers(&fixture["shape"])[1..].iter().product::<f64>() as usize,
        }
    }

    /// Samples as the sampler does; `sign` turns the velocity of a flow around.
    fn sample<F: Real>(&self, config: &SchedulerConfig, sign: f64) -> Vec<Recorded> {
        let cast = |values: &[f64]| values.iter().map(|x| F::from_f64(*x)).collect::<Vec<F>>();
        let widen = |values: &[F]| values.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
        let (mut x, bias) = (cast(&self.x), cast(&self.bias));
        let (gain, sign) = (F::from_f64(sign * self.gain), F::from_f64(sign));
        let predict = |x: &[F]| -> Vec<F> {
            x.iter()
                .zip(&bias)
                .map(|(x, b)| gain * *x + sign * *b)
                .collect()
        };
        let schedule = Schedule::new(config).unwrap();
        let mut solver = Solver::new(schedule, x.len() / self.stride, self.stride);
        let mut recorded = Vec::new();
        walk(
            &mut solver,
            &mut x,
            |_, x| predict(x),
            |_| 0.0,
            |_, arrival| {
                if arrival.fresh > 0.0 {
                    for (x, z) in arrival.sample.iter_mut().zip(&self.noise[arrival.index]) {
                        *x += F::from_f64(arrival.fresh) * F::from_f64(*z);
                    }
                }
                recorded.push(Recorded {
                    time: arrival.step.from.time,
                    clean: widen(arrival.clean),
                    x_next: widen(arrival.sample),
                });
            },
        );
        recorded
    }
}

fn compare(what: &str, found: &[Recorded], expected: &Value, next: &str, clean: &str) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let what = format!("{what}, step {i}");
        assert_close(&what, &[found.time], &numbers(&expected["t"]), 1e-12);
        assert_close(&what, &found.x_next, &numbers(&expected[next]), DOUBLE);
        if let Some(clean) = expected.get(clean) {
            assert_close(&what, &found.clean, &numbers(clean), DOUBLE);
        }
    }
}

fn diffusion(solver: DiffusionSolver, steps: usize) -> DiffusionConfig {
    DiffusionConfig {
        solver,
        steps,
        ..DiffusionConfig::default()
    }
}

const DDPM: DiffusionSolver = DiffusionSolver::Ddpm {
    variance: Variance::FixedSmall,
};
const DDIM: DiffusionSolver = DiffusionSolver::Ddim {
    eta: 0.0,
    set_alpha_to_one: true,
};

#[test]
fn the_given_diffusion_runs_agree() {
    let (model, fixture) = (Model::given(), fixture("schedulers.json"));
    let of_samples = |config| DiffusionConfig {
        prediction: Prediction::Sample,
        ..config
    };
    let unclipped = DiffusionConfig {
        clip: Clip::Off,
        ..diffusion(DDPM, 20)
    };
    for (name, config) in [
        ("ddpm_100", diffusion(DDPM, 100)),
        ("ddpm_20", diffusion(DDPM, 20)),
        ("ddim_10", diffusion(DDIM, 10)),
        ("ddim_20", diffusion(DDIM, 20)),
        ("ddim_10_sample_prediction", of_samples(diffusion(DDIM, 10))),
        ("ddpm_20_sample_prediction", of_samples(diffusion(DDPM, 20))),
        ("ddpm_20_noclip", unclipped),
    ] {
        let config = SchedulerConfig::Diffusion(config);
        let expected = &fixture[format!("{name}_f64")];
        let found = model.sample::<f64>(&config, 1.0);
        compare(name, &found, expected, "x_prev", "x0_hat");
        let single = model.sample::<f32>(&config, 1.0);
        let last = single.last().unwrap();
        // Where single precision was recorded it is compared with that, else with the double.
        let steps = match fixture.get(format!("{name}_f32")) {
            Some(steps) => steps,
            None => expected,
        };
        let expected = steps.as_array().unwrap().last().unwrap();
        let x_prev = numbers(&expected["x_prev"]);
        assert_close(&format!("{name} in f32"), &last.x_next, &x_prev, SINGLE);
        let x0_hat = numbers(&expected["x0_hat"]);
        assert_close(&format!("{name} in f32"), &last.clean, &x0_hat, SINGLE);
    }
}

#[test]
fn the_training_schedule_agrees() {
    let fixture = fixture("schedulers.json");
    let config = SchedulerConfig::Diffusion(diffusion(DDPM, 100));
    let schedule = Schedule::new(&config).unwrap();
    let steps = schedule.steps().iter().rev();
    let abar: Vec<f64> = steps.map(|step| step.from.signal.powi(2)).collect();
    let double = numbers(&fixture["alphas_cumprod_f64"]);
    assert_close("alphas_cumprod", &abar, &double, 1e-12);
    let single = numbers(&fixture["alphas_cumprod_f32"]);
    assert_close("alphas_cumprod in f32", &abar, &single, 1e-6);
}

#[test]
fn the_given_timesteps_agree() {
    let fixture = fixture("schedulers.json");
    for (name, expected) in fixture["timesteps"].as_object().unwrap() {
        let (class, steps) = name.split_once('_').unwrap();
        let solver = match class {
            "DDPMScheduler" => DDPM,
            "DDIMScheduler" => DDIM,
            other => panic!("{other}"),
        };
        let config = diffusion(solver, steps.parse().unwrap());
        assert_eq!(timesteps(config), numbers(expected), "{name}");
    }
}

fn timesteps(config: DiffusionConfig) -> Vec<f64> {
    let schedule = Schedule::new(&SchedulerConfig::Diffusion(config)).unwrap();
    schedule.steps().iter().map(|step| step.from.time).collect()
}

/// The configuration that a recorded run's settings mean, with diffusers' own defaults.
fn recorded_config(run: &Value, steps: usize) -> SchedulerConfig {
    let settings = &run["settings"];
    let text = |key: &str| settings[key].as_str();
    let number = |key: &str, default: f64| settings[key].as_f64().unwrap_or(default);
    let flag = |key: &str| settings[key].as_bool().unwrap_or(true);
    let betas = (number("beta_start", 0.0001), number("beta_end", 0.02));
    let eta = run["eta"].as_f64().unwrap_or(0.0);
    let clip = if settings["thresholding"] == true {
        Clip::Dynamic {
            ratio: number("dynamic_thresholding_ratio", 0.995),
            max: number("sample_max_value", 1.0),
        }
    } else if run["kind"] == "dpm_solver_pp_2m" || !flag("clip_sample") {
        Clip::Off
    } else {
        Clip::Range(number("clip_sample_range", 1.0))
    };
    let solver = match run["kind"].as_str().unwrap() {
        "ddpm" => DiffusionSolver::Ddpm {
            variance: match text("variance_type") {
                Some("fixed_large") => Variance::FixedLarge,
                _ => Variance::FixedSmall,
            },
        },
        "ddim" => DiffusionSolver::Ddim {
            eta,
            set_alpha_to_one: flag("set_alpha_to_one"),
        },
        _ => DiffusionSolver::DpmSolverPp2m,
    };
    SchedulerConfig::Diffusion(DiffusionConfig {
        solver,
        prediction: match text("prediction_type") {
            Some("sample") => Prediction::Sample,
            Some("v_prediction") => Prediction::VPrediction,
            _ => Prediction::Epsilon,
        },
        steps,
        train_steps: 100,
        betas: match text("beta_schedule") {
            Some("linear") => BetaSchedule::Linear {
                start: betas.0,
                end: betas.1,
            },
            Some("scaled_linear") => BetaSchedule::ScaledLinear {
                start: betas.0,
                end: betas.1,
            },
            _ => BetaSchedule::SquaredCosCapV2,
        },
        spacing: match text("timestep_spacing") {
            Some("trailing") => Spacing::Trailing,
            Some("linspace") => Spacing::Linspace,
            _ => Spacing::Leading,
        },
        steps_offset: number("steps_offset", 0.0) as usize,
        clip,
    })
}

#[test]
fn the_generated_diffusion_runs_agree() {
    let fixture = fixture("diffusers.json");
    let model = Model::generated(&fixture);
    let runs = fixture["runs"].as_array().unwrap();
    let runs: Vec<_> = runs
        .iter()
        .filter(|run| run["kind"] != "flow_heun")
        .collect();
    assert_eq!(runs.len(), 16);
    for run in runs {
        let what = format!("{} {} eta {}", run["kind"], run["settings"], run["eta"]);
        let config = recorded_config(run, run["steps"].as_array().unwrap().len());
        let found = model.sample::<f64>(&config, 1.0);
        compare(&what, &found, &run["steps"], "x_next", "clean");
        let single = model.sample::<f32>(&config, 1.0);
        let last = numbers(&run["last_f32"]);
        let what = format!("{what} in f32");
        assert_close(&what, &single.last().unwrap().x_next, &last, SINGLE);
    }
}

#[test]
fn the_generated_timesteps_agree() {
    let fixture = fixture("diffusers.json");
    for entry in fixture["timesteps"].as_array().unwrap() {
        let steps = entry["steps"].as_u64().unwrap() as usize;
        let SchedulerConfig::Diffusion(config) = recorded_config(entry, steps) else {
            panic!("not diffusion")
        };
        let what = format!("{} {} {steps}", entry["kind"], entry["settings"]);
        assert_eq!(timesteps(config), numbers(&entry["timesteps"]), "{what}");
    }
}

fn flow(solver: FlowSolver, time: FlowTime) -> SchedulerConfig {
    SchedulerConfig::Flow(FlowConfig {
        solver,
        time,
        clip: Clip::Off,
        ..FlowConfig::default()
    })
}

#[test]
fn flow_euler_agrees_in_both_directions_of_time() {
    let (model, fixture) = (Model::given(), fixture("schedulers.json"));
    let expected = &fixture["flow_euler_10_pi_convention_f64"];
    for (time, sign) in [(FlowTime::OneToZero, 1.0), (FlowTime::ZeroToOne, -1.0)] {
        let config = flow(FlowSolver::Euler, time);
        let mut found = model.sample::<f64>(&config, sign);
        if time == FlowTime::ZeroToOne {
            found
                .iter_mut()
                .for_each(|step| step.time = 1.0 - step.time);
        }
        compare("flow Euler", &found, expected, "x_next", "none");
        let single = model.sample::<f32>(&config, sign);
        let last = numbers(&expected[9]["x_next"]);
        assert_close("in f32", &single[9].x_next, &last, SINGLE);
    }
}

#[test]
fn flow_euler_agrees_at_the_levels_of_diffusers() {
    let (model, fixture) = (Model::given(), fixture("schedulers.json"));
    let recorded = &fixture["flow_euler_10_diffusers_f32"];
    let sigmas = numbers(&recorded["sigmas"]);
    let mut x: Vec<f32> = model.x.iter().map(|x| *x as f32).collect();
    let (mut clean, mut noise) = (x.clone(), x.clone());
    for (pair, step) in sigmas.windows(2).zip(recorded["steps"].as_array().unwrap()) {
        let (from, to) = (Level::flow(pair[0], pair[0]), Level::flow(pair[1], pair[1]));
        assert!((step["t"].as_f64().unwrap() - 1000.0 * from.time).abs() < 1e-3);
        let velocity: Vec<f32> = x
            .iter()
            .zip(&model.bias)
            .map(|(x, b)| 0.1 * x + *b as f32)
            .collect();
        Estimate::velocity(&from).split(&x, &velocity, &mut clean, &mut noise);
        Transition::new(&from, &to, 0.0).apply(&clean, &noise, &mut x);
        let found: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        assert_close("x", &found, &numbers(&step["x_next"]), SINGLE);
    }
}

#[test]
fn flow_heun_agrees_in_both_directions_of_time() {
    let fixture = fixture("diffusers.json");
    let model = Model::generated(&fixture);
    let runs = fixture["runs"].as_array().unwrap();
    let run = runs.iter().find(|run| run["kind"] == "flow_heun").unwrap();
    // Diffusers counts both evaluations as steps; every second one is complete, and so is the last.
    let halves = run["steps"].as_array().unwrap();
    let complete: Vec<&Value> = halves
        .iter()
        .skip(1)
        .step_by(2)
        .chain(halves.last())
        .collect();
    for (time, sign) in [(FlowTime::OneToZero, 1.0), (FlowTime::ZeroToOne, -1.0)] {
        let config = flow(FlowSolver::Heun, time);
        let found = model.sample::<f64>(&config, sign);
        assert_eq!(found.len(), complete.len());
        for (found, expected) in found.iter().zip(&complete) {
            assert_close("Heun", &found.x_next, &numbers(&expected["x_next"]), DOUBLE);
        }
        let single = model.sample::<f32>(&config, sign);
        assert_close(
            "in f32",
            &single[9].x_next,
            &numbers(&run["last_f32"]),
            SINGLE,
        );
    }
}
