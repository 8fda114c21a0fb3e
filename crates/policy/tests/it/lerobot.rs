//! Exported LeRobot policies sample what LeRobot samples from the same noises; `tests/data/lerobot`
//! holds its answers.

use std::path::Path;

use crate::common::{data, floats};
use crate::golden::{Golden, difference, sample};
use tempfile::TempDir;
use tiller_policy::{
    Bundle, BundleError, Observation, Policy, PolicyError, RuntimeOptions, Supply,
};

/// Of the condition and of unnormalised actions, both of the size of 1; they are apart by up to 7e-7.
const TOLERANCE: f32 = 1e-5;

/// A bundle of `tests/data/lerobot`, with the graphs of `graphs`.
fn load(name: &str, graphs: &str) -> (Bundle, Golden) {
    let folder = data().join("lerobot");
    let whole = TempDir::new().unwrap();
    let copy = |from: &Path| {
        let to = whole.path().join(from.file_name().unwrap());
        std::fs::copy(from, to).unwrap();
    };
    copy(&folder.join(name).join("policy.toml"));
    for graph in ["encoder.onnx", "denoiser.onnx"] {
        copy(&folder.join(graphs).join(graph));
    }
    let golden = std::fs::read_to_string(folder.join(name).join("golden.json")).unwrap();
    (
        Bundle::load(whole.path()).unwrap(),
        Golden(serde_json::from_str(&golden).unwrap()),
    )
}

fn open(bundle: &Bundle) -> Policy {
    Policy::open(bundle, &RuntimeOptions::default()).unwrap()
}

/// Shows all observations and returns the condition.
fn condition(policy: &mut Policy, golden: &Golden) -> Vec<f32> {
    let steps = policy.manifest().observation_steps;
    for step in 0..steps - 1 {
        golden.show(step, |seen| policy.observe(seen)).unwrap();
    }
    let encode = |seen: &Observation<'_>| floats(policy.encode(seen).unwrap());
    golden.show(steps - 1, encode)
}

#[test]
fn chunks_are_those_that_lerobot_samples() {
    for (name, graphs) in [
        ("ddpm", "ddpm"),
        ("ddim", "ddpm"),
        ("environment", "environment"),
    ] {
        let (bundle, golden) = load(name, graphs);
        let mut policy = open(&bundle);
        let apart = difference(
            &condition(&mut policy, &golden),
            &golden.numbers("/condition"),
        );
        assert!(apart < TOLERANCE, "{name}: condition apart by {apart:e}");
        let chunks = sample(&mut policy, &golden);
        let apart = difference(&chunks, &golden.numbers("/chunk"));
        assert!(apart < TOLERANCE, "{name}: chunk apart by {apart:e}");

        let manifest = policy.manifest();
        let dim = manifest.action.dim;
        let executed = &chunks[manifest.execute_start * dim..][..manifest.execute_steps * dim];
        let apart = difference(executed, &golden.numbers("/executed"));
        assert!(apart < TOLERANCE, "{name}: executed apart by {apart:e}");
    }
}

#[test]
fn the_answers_depend_on_what_was_seen() {
    let (bundle, golden) = load("environment", "environment");
    let mut policy = open(&bundle);
    condition(&mut policy, &golden);
    let seen = sample(&mut policy, &golden);
    policy.reset();
    // The newer observation alone stands for the older one too.
    let last = policy.manifest().observation_steps - 1;
    golden
        .show(last, |seen| policy.encode(seen).map(drop))
        .unwrap();
    assert!(difference(&sample(&mut policy, &golden), &seen) > 1000.0 * TOLERANCE);
}

#[test]
fn an_environment_state_is_missed_by_name() {
    let (bundle, golden) = load("environment", "environment");
    let mut policy = open(&bundle);
    let error = golden.show(0, |seen| {
        policy
            .encode(&Observation {
                environment: &[],
                ..*seen
            })
            .unwrap_err()
    });
    assert!(matches!(error, PolicyError::Observation(_)));
    assert_eq!(
        error.to_string(),
        "the observation does not fit the policy:\n  - environment state: expected 3 finite \
         numbers, found []"
    );
}

#[test]
fn a_program_without_what_a_policy_sees_refuses_it_before_the_first_observation() {
    let problems = |bundle: &Bundle, supply: Supply<'_>| match bundle.check_supply(&supply) {
        Ok(()) => Vec::new(),
        Err(BundleError::Invalid { problems, .. }) => {
            problems.found.iter().map(ToString::to_string).collect()
        }
        Err(other) => panic!("{other}"),
    };
    let supply = Supply {
        cameras: &["static", "wrist"],
        state: 4,
        environment: 3,
        instruction: false,
    };
    let (environment, _) = load("environment", "environment");
    let (pictures, _) = load("ddpm", "ddpm");
    for bundle in [&environment, &pictures] {
        assert_eq!(problems(bundle, supply), Vec::<String>::new());
    }
    let none = Supply {
        environment: 0,
        ..supply
    };
    assert_eq!(
        problems(&environment, none),
        [
            "observation `observation.environment_state`.source: expected `robot_state`, found \
          `environment_state`, which nothing here shows"
        ]
    );
    let other = Supply {
        cameras: &["static"],
        state: 7,
        environment: 2,
        instruction: false,
    };
    assert_eq!(
        problems(&pictures, other),
        [
            "observation `observation.state`.shape: expected [7], what `robot_state` has here, \
             found [4]",
            "observation `observation.images.wrist`.source: expected one of the cameras \
             [\"static\"], found `wrist`, which nothing here shows",
        ]
    );
    assert_eq!(
        problems(&environment, other)[1],
        "observation `observation.environment_state`.shape: expected [2], what \
         `environment_state` has here, found [3]"
    );
}
