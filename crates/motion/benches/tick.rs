//! Cost of the control loop's parts; a tick has 1 ms.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tiller_core::{ActionLayout, ActionMode, ArmColumns, Frame, RotationColumns, RotationKind};
use tiller_motion::kinematics::{HOME_Q, forward, jacobian};
use tiller_motion::{Actuator, ActuatorConfig, ArmReading, Chunk};

const STEPS: usize = 8;

/// To and fro by `row` a step, one chunk every 800 ms.
fn execute(criterion: &mut Criterion, name: &str, layout: &ActionLayout, row: &[f64]) {
    let mut reading = ArmReading::at_rest(HOME_Q, 0.08);
    let Ok(mut actuator) = Actuator::new(ActuatorConfig::default(), &reading, 0) else {
        return;
    };
    let (mut now_ns, mut seq) = (0, 0);
    criterion.bench_function(name, |bench| {
        bench.iter(|| {
            if now_ns % 800_000_000 == 0 {
                seq += 1;
                let sign = if seq % 2 == 0 { 1.0 } else { -1.0 };
                let row: Vec<f64> = row.iter().map(|value| sign * value).collect();
                let chunk = Chunk {
                    seq,
                    stamp_ns: now_ns,
                    anchor: actuator.status().anchor,
                    layout: layout.clone(),
                    execute_steps: STEPS,
                    actions: row.repeat(STEPS),
                    continues: None,
                };
                assert!(actuator.accept(&chunk, now_ns).is_ok());
            }
            now_ns += 1_000_000;
            reading.q_rad = actuator.tick(black_box(&reading), now_ns).q_rad;
        });
    });
}

fn tick(criterion: &mut Criterion) {
    criterion.bench_function("forward", |bench| {
        bench.iter(|| forward(black_box(&HOME_Q)))
    });
    criterion.bench_function("jacobian", |bench| {
        bench.iter(|| jacobian(black_box(&HOME_Q)))
    });

    let displacements = ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0);
    let row = [0.01, 0.01, 0.01, 1.0];
    execute(criterion, "tick while executing", &displacements, &row);
    let poses = ActionLayout {
        dim: 6,
        arm: ArmColumns::Pose {
            position: [0, 1, 2],
            rotation: Some(RotationColumns {
                columns: vec![3, 4, 5],
                kind: RotationKind::RotationVector,
            }),
        },
        gripper: None,
        mode: ActionMode::DeltaPose(Frame::Base),
        ..displacements.clone()
    };
    let row = [0.01, 0.01, 0.01, 0.02, -0.03, 0.04];
    execute(criterion, "tick while turning", &poses, &row);
    let joints = ActionLayout {
        dim: 7,
        arm: ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6]),
        mode: ActionMode::JointVelocity,
        ..poses.clone()
    };
    execute(criterion, "tick in joints", &joints, &[0.1; 7]);
}

criterion_group!(benches, tick);
criterion_main!(benches);
