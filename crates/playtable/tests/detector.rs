//! The shipped network against the simulator's labels, in scenes that it was not trained on.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use tiller_author_testing::view;
use tiller_grounding::{Grounder, GroundingConfig, Keypoint};
use tiller_playtable::{
    Axis, Camera, Channels, Frame, PlayTable, Renderer, Task, Variation, WITHOUT_KEYPOINTS,
    keypoint_counts, labels,
};

/// Farthest that the two may be apart, m, and the share of keypoints of which that must hold.
const NEAR_M: f64 = 0.015;
const SHARE: f64 = 0.95;

fn grounder(detector: &str) -> Grounder {
    let counts = keypoint_counts().into_iter();
    Grounder::new(GroundingConfig {
        detector: detector.to_owned(),
        model: Some("playtable".into()),
        ignored: WITHOUT_KEYPOINTS.map(str::to_owned).to_vec(),
        counts: counts.map(|(name, n)| (name.to_owned(), n)).collect(),
        ..GroundingConfig::default()
    })
    .unwrap()
}

fn apart_m(a: &Keypoint, b: &Keypoint) -> f64 {
    let axes = a.position_m.iter().zip(b.position_m);
    axes.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn the_shipped_network_finds_what_the_simulator_s_labels_name() {
    let names: Vec<(u8, String)> = labels()
        .iter()
        .map(|(id, name)| (*id, (*name).to_owned()))
        .collect();
    let mut table = PlayTable::new().unwrap();
    let mut renderer = Renderer::new(&table, 256, 256).unwrap();
    let (mut truth, mut learned) = (grounder("labels"), grounder("learned"));
    let mut frame = Frame::default();
    let (mut near, mut all) = (0, 0);
    for seed in 400..406 {
        for variation in [
            None,
            Variation::new(Axis::Scene, 1),
            Variation::new(Axis::Object, 1),
        ] {
            table.reset_varied(seed, &[Task::ButtonPress], variation);
            renderer
                .render(&mut table, Camera::Static, Channels::ALL, &mut frame)
                .unwrap();
            let view = view(&frame, &names);
            let wanted = truth.ground(&view).unwrap();
            let found = learned.ground(&view).unwrap();
            for point in wanted {
                let same = found.iter().find(|it| it.name == point.name);
                all += 1;
                near += usize::from(same.is_some_and(|it| apart_m(it, point) < NEAR_M));
            }
            assert!(found.len() <= wanted.len() + 1, "{found:?}");
        }
    }
    let share = f64::from(u32::try_from(near).unwrap()) / f64::from(all);
    assert!(share >= SHARE, "{near} of {all} keypoints");
}
