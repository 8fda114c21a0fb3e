//! Cost of the control loop's parts; a tick has 1 ms.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tiller_motion::kinematics::{HOME_Q, forward, jacobian};
use tiller_motion::{ActionStep, Actuator, ActuatorConfig, ArmReading, Chunk};

fn tick(criterion: &mut Criterion) {
    criterion.bench_function("forward", |bench| {
        bench.iter(|| forward(black_box(&HOME_Q)))
    });
    criterion.bench_function("jacobian", |bench| {
        bench.iter(|| jacobian(black_box(&HOME_Q)))
    });

    let mut reading = ArmReading::at_rest(HOME_Q, 0.08);
    let Ok(mut actuator) = Actuator::new(ActuatorConfig::default(), &reading, 0) else {
        return;
    };
    let (mut now_ns, mut seq) = (0, 0);
    criterion.bench_function("tick while executing", |bench| {
        bench.iter(|| {
            if now_ns % 800_000_000 == 0 {
                seq += 1;
                let sign = if seq % 2 == 0 { 0.01 } else { -0.01 };
                let step = ActionStep {
                    delta_position_m: [sign, sign, sign],
                    gripper: 1.0,
                };
                let anchor = actuator.status().anchor;
                let chunk = Chunk {
                    seq,
                    stamp_ns: now_ns,
                    ..Chunk::of_displacements(anchor, 10.0, &[step; 8])
                };
                assert!(actuator.accept(&chunk, now_ns).is_ok());
            }
            now_ns += 1_000_000;
            reading.q_rad = actuator.tick(black_box(&reading), now_ns).q_rad;
        });
    });
}

criterion_group!(benches, tick);
criterion_main!(benches);
