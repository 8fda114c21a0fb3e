//! Exported LeRobot policies sample what LeRobot samples from the same noises; `tests/data/lerobot`
//! holds its answers.

use std::path::Path;

use crate::common::{data, floats};
use serde_json::Value;
use tempfile::TempDir;
use tiller_policy::{
    Bundle, BundleError, ImageView, Observation, Policy, PolicyError, RuntimeOptions, Supply,
};
use tiller_steering::Denoiser;
use tiller_steering::scheduler::{Schedule, Solver};

/// Of the condition and of unnormalised actions, both of the size of 1; they are apart by up to 7e-7.
const TOLERANCE: f32 = 1e-5;

/// LeRobot's answers for one bundle.
struct Golden(Value);

impl Golden {
    fn shape(&self, path: &str) -> Vec<usize> {
        let shape = self.0.pointer(path).unwrap()["shape"].as_array().unwrap();
        shape.iter().map(|n| n.as_u64().unwrap() as usize).collect()
    }

    fn numbers(&self, path: &str) -> Vec<f32> {
        let data = self.0.pointer(path).unwrap()["data"].as_array().unwrap();
        data.iter().map(|n| n.as_f64().unwrap() as f32).collect()
    }

    /// The numbers of one step; none where the key is missing.
    fn step(&self, path: &str, step: usize, steps: usize) -> Vec<f32> {
        if self.0.pointer(path).is_none() {
            return Vec::new();
        }
        let numbers = self.numbers(path);
        let size = numbers.len() / steps;
        numbers[step * size..(step + 1) * size].to_vec()
    }

    /// Shows the observation of one step.
    fn show<R>(&self, step: usize, show: impl FnOnce(&Observation<'_>) -> R) -> R {
        let steps = self.shape("/state")[0];
        let cameras = self.0["images"].as_object().unwrap();
        let pictures: Vec<_> = cameras
            .keys()
            .map(|name| {
                let path = format!("/images/{name}");
                let pixels = self.step(&path, step, steps);
                let rgb: Vec<u8> = pixels.iter().map(|value| *value as u8).collect();
                (name, self.shape(&path), rgb)
            })
            .collect();
        let images: Vec<_> = pictures
            .iter()
            .map(|(name, shape, rgb)| ImageView {
                name,
                width: shape[2],
                height: shape[1],
                rgb,
            })
            .collect();
        show(&Observation {
            images: &images,
            state: &self.step("/state", step, steps),
            environment: &self.step("/environment", step, steps),
        })
    }
}

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

/// The unsteered chunks `[B, T, D]` that come of LeRobot's noises, in the actions' units.
fn sample(policy: &mut Policy, golden: &Golden) -> Vec<f32> {
    let mut x = golden.numbers("/noise");
    let particles = golden.shape("/noise")[0];
    let (count, stride) = (x.len(), x.len() / particles);
    let schedule = Schedule::new(policy.sampler()).unwrap();
    let steps = schedule.steps().to_vec();
    let mut solver = Solver::<f32>::new(schedule, particles, stride);
    let mut prediction = vec![0.0; count];
    let (mut clean, mut noise) = (prediction.clone(), prediction.clone());
    solver.restart();
    for (at, step) in steps.iter().enumerate() {
        let time = step.from.time as f32;
        policy
            .predict(&x, particles, time, &mut prediction)
            .unwrap();
        solver.split(at, &x, &prediction, &mut clean, &mut noise);
        solver.clip(at, &x, &mut clean, &mut noise);
        let fresh = solver.advance(at, 0.0, &clean, &noise, &mut x) as f32;
        if fresh > 0.0 {
            let drawn = golden.step("/step_noise", at, steps.len());
            assert_eq!(drawn.len(), count);
            for (x, z) in x.iter_mut().zip(drawn) {
                *x += fresh * z;
            }
        }
    }
    let space = policy.action_space();
    let columns = space.scale.iter().zip(&space.offset).cycle();
    x.iter()
        .zip(columns)
        .map(|(x, (scale, offset))| x * scale + offset)
        .collect()
}

fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, |worst, apart| {
        assert!(apart.is_finite());
        worst.max(apart)
    })
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
