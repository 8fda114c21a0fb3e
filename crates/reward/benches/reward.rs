//! Time of one value-and-gradient evaluation on one core.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tiller_reward::{CompileOptions, Evaluator, compile};

/// Steps of a chunk; a trajectory has one point more.
const STEPS: usize = 14;

const REACH: &str = "
num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[0] + torch.tensor([0.0, 0.0, 0.05])
    distances = torch.norm(action_sequence - target, dim=-1)
    weights = torch.linspace(0.5, 1.5, distances.shape[1])
    return -(distances * weights).sum(dim=-1) / weights.sum()
";

const PUSH: &str = "
num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    block, goal = keypoints[0], keypoints[1]
    direction = F.normalize(goal - block, dim=0)
    contact = block - 0.03 * direction
    relative = action_sequence - contact
    to_contact = torch.norm(relative, dim=-1)
    progress = (relative * direction).sum(dim=-1)
    best, _ = torch.cummax(progress, dim=1)
    backtracking = (best - progress).sum(dim=1)
    drift = torch.norm(relative - progress.unsqueeze(-1) * direction, dim=-1)
    return progress[:, -1] - to_contact[:, 0] - 2.0 * backtracking - 5.0 * drift.mean(dim=1)
";

fn evaluate(criterion: &mut Criterion) {
    let options = CompileOptions::new(8, STEPS + 1);
    let keypoints: Vec<[f64; 3]> = (0..8)
        .map(|i| [0.4 + 0.01 * f64::from(i), 0.05 * f64::from(i), 0.1])
        .collect();
    for (name, text) in [("reach", REACH), ("push", PUSH)] {
        let mut group = criterion.benchmark_group(name);
        group.bench_function("compile", |bencher| {
            bencher.iter(|| compile(text, &options));
        });
        let Ok(program) = compile(text, &options) else {
            continue;
        };
        for particles in [20, 256, 1000] {
            let width = (STEPS + 1) * 3;
            let trajectories: Vec<f32> = (0..particles * width)
                .map(|i| 0.4 + 0.2 * (i as f32 * 0.7).sin())
                .collect();
            let mut values = vec![0.0; particles];
            let mut gradients = vec![0.0; particles * width];
            let mut evaluator = Evaluator::<f32>::new(&program.stages[0].guidance, particles);
            group.bench_function(
                BenchmarkId::new("value_and_gradient", particles),
                |bencher| {
                    bencher.iter(|| {
                        evaluator.evaluate(
                            &keypoints,
                            &trajectories,
                            &mut values,
                            Some(&mut gradients),
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
