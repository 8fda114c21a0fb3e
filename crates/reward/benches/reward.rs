//! Time of compiling a program, and of one value-and-gradient evaluation on one core.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tiller_core::{Trajectories, TrajectoriesMut};
use tiller_reward::{CompileOptions, Evaluator, Scene, compile};

/// Steps of a chunk; a trajectory has one point more.
const STEPS: usize = 14;
const KEYPOINTS: usize = 8;
/// The same texts that `against_pytorch.py` gives to PyTorch.
const PROGRAMS: [(&str, &str); 3] = [
    ("reach", include_str!("programs/reach.py")),
    ("push", include_str!("programs/push.py")),
    // At most twice a reach's time, though it reads pose and gripper.
    ("grasp", include_str!("programs/grasp.py")),
];

fn evaluate(criterion: &mut Criterion) {
    let options = CompileOptions::new(KEYPOINTS, STEPS + 1);
    let keypoints: Vec<[f64; 3]> = (0..KEYPOINTS)
        .map(|i| [0.4 + 0.01 * i as f64, 0.05 * i as f64, 0.1])
        .collect();
    for (name, text) in PROGRAMS {
        let mut group = criterion.benchmark_group(name);
        group.bench_function("compile", |bencher| {
            bencher.iter(|| compile(text, &options));
        });
        let Ok(program) = compile(text, &options) else {
            continue;
        };
        for particles in [1, 20, 50, 200, 1000] {
            let reads = program.stages[0].guidance.reads();
            let numbers = |width: usize, is_read: bool| -> Vec<f32> {
                let count = particles * (STEPS + 1) * width * usize::from(is_read);
                (0..count)
                    .map(|i| 0.4 + 0.2 * (i as f32 * 0.7).sin())
                    .collect()
            };
            let (positions, rotations) = (numbers(3, true), numbers(9, reads.rotations));
            let gripper = numbers(1, reads.gripper);
            let trajectories = Trajectories {
                positions: &positions,
                rotations: &rotations,
                gripper: &gripper,
            };
            let mut values = vec![0.0; particles];
            let (mut forces, mut torques) = (positions.clone(), rotations.clone());
            let mut pulls = gripper.clone();
            let mut evaluator = Evaluator::<f32>::new(&program.stages[0].guidance, particles);
            group.bench_function(
                BenchmarkId::new("value_and_gradient", particles),
                |bencher| {
                    bencher.iter(|| {
                        let gradients = TrajectoriesMut {
                            positions: &mut forces,
                            rotations: &mut torques,
                            gripper: &mut pulls,
                        };
                        evaluator.evaluate_whole(
                            &Scene::from(&keypoints[..]),
                            &trajectories,
                            &mut values,
                            Some(gradients),
                        )
                    });
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, evaluate);
criterion_main!(benches);
