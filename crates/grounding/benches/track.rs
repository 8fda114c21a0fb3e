//! Cost of following keypoints in one frame, by tracker and size; a camera leaves 33 ms.

#[path = "../tests/common/mod.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use tiller_grounding::{Grounder, GroundingConfig};

fn track(criterion: &mut Criterion) {
    let mut solids = common::scene();
    let pictures: Vec<_> = (0..16)
        .map(|step| {
            // To and fro, so that the round can be repeated.
            let sign = if step < 8 { 1.0 } else { -1.0 };
            common::find(&mut solids, 4).centre[1] += sign * 0.006;
            common::render(&solids)
        })
        .collect();
    for tracker in ["detector", "looks", "flow"] {
        let config = GroundingConfig {
            tracker: tracker.into(),
            ignored: vec!["table".into(), "robot".into()],
            ..Default::default()
        };
        let Ok(mut grounder) = Grounder::new(config) else {
            return;
        };
        assert!(grounder.ground(&pictures[15].frame(0)).is_ok());
        let mut step = 0;
        criterion.bench_function(&format!("{tracker} 256 x 256"), |bench| {
            bench.iter(|| {
                let frame = pictures[step % 16].frame(step as u64);
                step += 1;
                assert!(grounder.track(&frame).is_ok());
            });
        });
    }
}

criterion_group!(benches, track);
criterion_main!(benches);
