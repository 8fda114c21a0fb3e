//! What LeRobot answered, and what the bundles' own sampler makes of the same noises.

use serde_json::Value;
use tiller_policy::{ImageView, Observation, Policy};
use tiller_steering::Denoiser;
use tiller_steering::scheduler::{Schedule, Solver};

/// LeRobot's answers for one bundle.
pub(crate) struct Golden(pub(crate) Value);

impl Golden {
    pub(crate) fn shape(&self, path: &str) -> Vec<usize> {
        let shape = self.0.pointer(path).unwrap()["shape"].as_array().unwrap();
        shape.iter().map(|n| n.as_u64().unwrap() as usize).collect()
    }

    pub(crate) fn numbers(&self, path: &str) -> Vec<f32> {
        let data = self.0.pointer(path).unwrap()["data"].as_array().unwrap();
        data.iter().map(|n| n.as_f64().unwrap() as f32).collect()
    }

    /// The numbers of one step; none where the key is missing.
    pub(crate) fn step(&self, path: &str, step: usize, steps: usize) -> Vec<f32> {
        if self.0.pointer(path).is_none() {
            return Vec::new();
        }
        let numbers = self.numbers(path);
        let size = numbers.len() / steps;
        numbers[step * size..(step + 1) * size].to_vec()
    }

    /// Shows the observation of one step.
    pub(crate) fn show<R>(&self, step: usize, show: impl FnOnce(&Observation<'_>) -> R) -> R {
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
            instruction: self.0["instruction"].as_str().unwrap_or_default(),
        })
    }
}

/// The unsteered chunks `[B, T, D]` that come of LeRobot's noises, in the actions' units.
pub(crate) fn sample(policy: &mut Policy, golden: &Golden) -> Vec<f32> {
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

pub(crate) fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, |worst, apart| {
        assert!(apart.is_finite());
        worst.max(apart)
    })
}
