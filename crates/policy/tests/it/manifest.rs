//! Samplers and layouts that a manifest can ask for, and what is said of those that it cannot.

use crate::common::Copy;
use tiller_policy::BundleError;
use tiller_steering::scheduler::{
    BetaSchedule, Clip, DiffusionConfig, DiffusionSolver, FlowConfig, FlowSolver, FlowTime,
    Prediction, SchedulerConfig, Spacing, Variance,
};

const FLOW: &str = "kind = \"flow_euler\"\nsteps = 10\ntime = \"noise_to_data_1_to_0\"";
const MIN_MAX: &str = "min = [-0.03, -0.02, -0.01, -1.0]\nmax = [0.03, 0.02, 0.03, 1.0]";

/// The tiny bundle's manifest with another scheduler table.
fn with_scheduler(table: &str) -> Copy {
    let copy = Copy::new();
    copy.edit(FLOW, table);
    copy
}

/// The same for a diffusion policy.
fn diffusion(prediction: &str, table: &str) -> Copy {
    let copy = with_scheduler(table);
    copy.edit("kind = \"flow_matching\"", "kind = \"diffusion\"");
    let prediction = format!("prediction = \"{prediction}\"");
    copy.edit("prediction = \"velocity\"", &prediction);
    copy
}

fn sampler(copy: &Copy) -> SchedulerConfig {
    copy.load().unwrap().sampler().clone()
}

/// Every problem of a bundle, one a line.
fn problems(copy: &Copy) -> Vec<String> {
    match copy.load().unwrap_err() {
        BundleError::Invalid { problems, .. } => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn flows_in_both_directions_of_time() {
    let euler = FlowConfig {
        solver: FlowSolver::Euler,
        steps: 10,
        time: FlowTime::OneToZero,
        clip: Clip::Range(1.0),
    };
    assert_eq!(sampler(&Copy::new()), SchedulerConfig::Flow(euler.clone()));
    let copy = with_scheduler("kind = \"flow_heun\"\nsteps = 5\ntime = \"noise_to_data_0_to_1\"");
    let heun = FlowConfig {
        solver: FlowSolver::Heun,
        steps: 5,
        time: FlowTime::ZeroToOne,
        ..euler
    };
    assert_eq!(sampler(&copy), SchedulerConfig::Flow(heun.clone()));
    // Actions normalised to mean 0 and deviation 1 have no range to be kept in.
    copy.edit(
        MIN_MAX,
        "mean = [0.0, 0.0, 0.01, 0.0]\nstd = [0.1, 0.1, 0.1, 1.0]",
    );
    let unbounded = FlowConfig {
        clip: Clip::Off,
        ..heun
    };
    assert_eq!(sampler(&copy), SchedulerConfig::Flow(unbounded));
}

#[test]
fn every_diffusion_sampler() {
    let ddpm = "kind = \"ddpm\"\nsteps = 20\ntrain_steps = 100\nbeta_schedule = \
                \"squaredcos_cap_v2\"\nspacing = \"leading\"\nclip_sample = 1.0\nvariance = \
                \"fixed_large\"";
    let expected = DiffusionConfig {
        solver: DiffusionSolver::Ddpm {
            variance: Variance::FixedLarge,
        },
        prediction: Prediction::Epsilon,
        steps: 20,
        train_steps: 100,
        betas: BetaSchedule::SquaredCosCapV2,
        spacing: Spacing::Leading,
        steps_offset: 0,
        clip: Clip::Range(1.0),
    };
    let found = sampler(&diffusion("epsilon", ddpm));
    assert_eq!(found, SchedulerConfig::Diffusion(expected.clone()));

    let ddim = "kind = \"ddim\"\nsteps = 10\ntrain_steps = 1000\nbeta_schedule = \
                \"scaled_linear\"\nbeta_start = 0.00085\nspacing = \"leading\"\nsteps_offset = 1\n\
                thresholding = { ratio = 0.995, max = 2.0 }\nset_alpha_to_one = false\neta = 0.25";
    let found = sampler(&diffusion("v_prediction", ddim));
    let expected = DiffusionConfig {
        solver: DiffusionSolver::Ddim {
            eta: 0.25,
            set_alpha_to_one: false,
        },
        prediction: Prediction::VPrediction,
        steps: 10,
        train_steps: 1000,
        betas: BetaSchedule::ScaledLinear {
            start: 0.00085,
            end: 0.02,
        },
        steps_offset: 1,
        clip: Clip::Dynamic {
            ratio: 0.995,
            max: 2.0,
        },
        ..expected
    };
    assert_eq!(found, SchedulerConfig::Diffusion(expected.clone()));

    let dpm = "kind = \"dpm_solver_pp_2m\"\nsteps = 10\ntrain_steps = 1000\nbeta_schedule = \
               \"linear\"\nspacing = \"trailing\"";
    let found = sampler(&diffusion("sample", dpm));
    let expected = DiffusionConfig {
        solver: DiffusionSolver::DpmSolverPp2m,
        prediction: Prediction::Sample,
        betas: BetaSchedule::Linear {
            start: 0.0001,
            end: 0.02,
        },
        spacing: Spacing::Trailing,
        steps_offset: 0,
        clip: Clip::Off,
        ..expected
    };
    assert_eq!(found, SchedulerConfig::Diffusion(expected));
}

#[test]
fn a_flow_with_the_keys_of_diffusion_is_told_all_of_them() {
    let copy = with_scheduler(
        "kind = \"ddim\"\nsteps = 0\ntrain_steps = 100\nbeta_schedule = \"linear\"\nbeta_start = \
         0.1\nbeta_end = 0.2\nspacing = \"leading\"\nsteps_offset = 0\nclip_sample = \
         1.0\nthresholding = { ratio = 0.9, max = 1.0 }\nvariance = \
         \"fixed_small\"\nset_alpha_to_one = true\neta = 0.0",
    );
    copy.edit("prediction = \"velocity\"", "prediction = \"epsilon\"");
    let found = problems(&copy);
    let none = |key: &str, found: &str| {
        format!("scheduler.{key}: expected no such key in flow matching, found {found}")
    };
    assert_eq!(
        found,
        [
            "prediction: expected `velocity`, found `epsilon`".to_owned(),
            "scheduler.kind: expected `flow_euler` or `flow_heun`, found `ddim`".to_owned(),
            "scheduler.time: expected a value in flow matching, found none".to_owned(),
            none("train_steps", "100"),
            none("beta_schedule", "\"linear\""),
            none("beta_start", "0.1"),
            none("beta_end", "0.2"),
            none("spacing", "\"leading\""),
            none("steps_offset", "0"),
            none("clip_sample", "1.0"),
            none("thresholding", "Thresholding { ratio: 0.9, max: 1.0 }"),
            none("variance", "\"fixed_small\""),
            none("set_alpha_to_one", "true"),
            none("eta", "0.0"),
            "scheduler.steps: expected 1 to 1000, found 0".to_owned(),
        ]
    );
}

#[test]
fn a_diffusion_that_does_not_fit_together_is_told_everything_at_once() {
    let copy = diffusion(
        "velocity",
        "kind = \"ddpm\"\nsteps = 200\ntime = \"noise_to_data_1_to_0\"\ntrain_steps = \
         100\nbeta_schedule = \"squaredcos_cap_v2\"\nbeta_start = 0.1\nspacing = \
         \"sideways\"\nclip_sample = 1.0\nthresholding = { ratio = 1.5, max = 0.5 }\nvariance = \
         \"learned\"\neta = 0.5",
    );
    copy.edit(
        "horizon = 3\nexecute_steps = 2",
        "observation_steps = 0\nhorizon = 3\nexecute_start = 2\nexecute_steps = 2",
    );
    copy.edit("gripper = 3", "gripper = 3\nrotation = [2, 3, 4]");
    copy.edit(
        MIN_MAX,
        "min = [-0.03, -0.02, -0.01, -1.0]\nstd = [1.0, 0.0, 1.0]",
    );
    assert_eq!(
        problems(&copy),
        [
            "prediction: expected `epsilon` or `sample` or `v_prediction`, found `velocity`",
            "scheduler.time: expected no such key in diffusion, found \"noise_to_data_1_to_0\"",
            "scheduler.variance: expected `fixed_small` or `fixed_large`, found `learned`",
            "scheduler.eta: expected no such key with `ddpm`, found 0.5",
            "scheduler.beta_start: expected no such key with `squaredcos_cap_v2`, found 0.1",
            "scheduler.spacing: expected `leading` or `trailing` or `linspace`, found `sideways`",
            "scheduler.clip_sample: expected no such key beside scheduler.thresholding, found 1.0",
            "scheduler.steps: expected from 1 to 100, found 200",
            "scheduler.thresholding.ratio: expected from 0 to 1, found 1.5",
            "scheduler.thresholding.max: expected finite and at least 1, found 0.5",
            "observation_steps: expected 1 to 16, found 0",
            "execute_steps: expected 1 to 1, found 2",
            "action.rotation[0]: expected a column below 4 that holds nothing else, found 2",
            "action.rotation[1]: expected a column below 4 that holds nothing else, found 3",
            "action.rotation[2]: expected a column below 4 that holds nothing else, found 4",
            "action: expected either min and max or mean and std, found action.min, action.std",
            "action.std: expected 4 numbers, found 3",
            "action.std[1]: expected a positive number, found 0",
        ]
    );
}

#[test]
fn what_diffusion_cannot_do_without_is_missed() {
    let copy = diffusion("sample", "kind = \"ddim\"\nsteps = 10");
    let found = problems(&copy);
    let missing = |key: &str| format!("scheduler.{key}: expected a value in diffusion, found none");
    assert_eq!(
        found,
        ["train_steps", "beta_schedule", "spacing"].map(missing)
    );
}

#[test]
fn an_unknown_scheduler_is_told_what_there_is() {
    let copy = with_scheduler("kind = \"euler_ancestral\"\nsteps = 10");
    copy.edit("kind = \"flow_matching\"", "kind = \"consistency\"");
    assert_eq!(
        problems(&copy),
        [
            "kind: expected `flow_matching` or `diffusion`, found `consistency`",
            "scheduler.kind: expected `flow_euler`, `flow_heun`, `ddpm`, `ddim` or \
             `dpm_solver_pp_2m`, found `euler_ancestral`",
        ]
    );
}

#[test]
fn execution_must_start_within_the_horizon() {
    let copy = Copy::new();
    copy.edit("execute_steps = 2", "execute_start = 3\nexecute_steps = 1");
    assert_eq!(
        problems(&copy),
        [
            "execute_start: expected 0 to 2, found 3",
            "execute_steps: expected 1 to 1, found 1"
        ][..1]
    );
}

#[test]
fn layouts_with_rotation_and_with_mean_and_deviation() {
    let copy = Copy::new();
    copy.edit("gripper = 3", "rotation = [3]");
    copy.edit(
        MIN_MAX,
        "mean = [0.0, 0.1, 0.0, 0.0]\nstd = [0.1, 0.2, 0.3, 1.0]",
    );
    let space = copy.load().unwrap().manifest().action.space();
    assert_eq!(space.validate(), Ok(()));
    assert_eq!(space.rotation_columns, [3]);
    assert_eq!(space.gripper_column, None);
    assert_eq!(space.scale, [0.1, 0.2, 0.3, 1.0]);
    assert_eq!(space.offset, [0.0, 0.1, 0.0, 0.0]);
}
