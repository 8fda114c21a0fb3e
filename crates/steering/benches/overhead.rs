//! What steering adds to a chunk: the denoiser costs next to nothing here.
#![allow(missing_docs, reason = "criterion's macros make the functions")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tiller_steering::scheduler::{DiffusionConfig, DiffusionSolver, SchedulerConfig, Variance};
use tiller_steering::{
    ActionMode, ActionSpace, Denoiser, DenoiserError, FeynmanKacConfig, Reward, RewardError,
    Steerer, SteeringConfig,
};

const HORIZON: usize = 16;
const DIM: usize = 7;

/// A network that hardly does anything.
struct Idle;

impl Denoiser for Idle {
    fn horizon(&self) -> usize {
        HORIZON
    }
    fn action_dim(&self) -> usize {
        DIM
    }
    fn predict(
        &mut self,
        sample: &[f32],
        _: usize,
        _: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        out.iter_mut().zip(sample).for_each(|(v, x)| *v = 0.5 * x);
        Ok(())
    }
}

/// `-|end - target|`.
struct Reach;

impl Reward for Reach {
    fn evaluate(
        &mut self,
        trajectories: &[f32],
        values: &mut [f32],
        gradients: &mut [f32],
    ) -> Result<(), RewardError> {
        let stride = trajectories.len() / values.len();
        gradients.fill(0.0);
        for (b, value) in values.iter_mut().enumerate() {
            let end = (b + 1) * stride - 3;
            let off = [
                trajectories[end] - 0.6,
                trajectories[end + 1] - 0.2,
                trajectories[end + 2] - 0.1,
            ];
            let distance = off.iter().map(|o| o * o).sum::<f32>().sqrt().max(1e-9);
            *value = -distance;
            for axis in 0..3 {
                gradients[end + axis] = -off[axis] / distance;
            }
        }
        Ok(())
    }
}

/// 100 steps, 29 of diversity and 71 guided, resampling at every fifth of these.
fn chunk(c: &mut Criterion) {
    let mut group = c.benchmark_group("chunk_100_steps_16x7");
    group.sample_size(10);
    for particles in [1usize, 20, 50, 200, 1000] {
        let config = SteeringConfig {
            particles,
            unsteered_particles: particles,
            scheduler: SchedulerConfig::Diffusion(DiffusionConfig {
                solver: DiffusionSolver::Ddpm {
                    variance: Variance::FixedSmall,
                },
                steps: 100,
                ..Default::default()
            }),
            guidance_start: 0.29,
            feynman_kac: Some(FeynmanKacConfig {
                ess_threshold: 1.0,
                every: 5,
                ..Default::default()
            }),
            ..Default::default()
        };
        let space = ActionSpace {
            dim: DIM,
            position_columns: [0, 1, 2],
            gripper_column: Some(6),
            rotation_columns: vec![3, 4, 5],
            scale: vec![0.02; DIM],
            offset: vec![0.0; DIM],
            mode: ActionMode::Delta,
        };
        let Ok(mut steerer) = Steerer::new(config, space, HORIZON) else {
            return;
        };
        for steered in [true, false] {
            let name = if steered { "steered" } else { "sampler_alone" };
            group.bench_with_input(BenchmarkId::new(name, particles), &particles, |b, _| {
                let mut seed = 0;
                b.iter(|| {
                    seed += 1;
                    let mut reach = Reach;
                    let reward = steered.then_some(&mut reach as &mut dyn Reward);
                    let anchor = black_box([0.4, 0.0, 0.2]);
                    steerer
                        .sample(&mut Idle, reward, anchor, 0.0, seed, 0)
                        .map(|s| s.selected)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, chunk);
criterion_main!(benches);
