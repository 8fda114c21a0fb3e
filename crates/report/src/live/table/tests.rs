use super::super::{Arm, Ended, Progress, Safety, SafetyLast, Stage};
use super::*;

fn port(name: &str, hz: f64, age_s: Option<f64>) -> Port {
    Port {
        name: name.to_owned(),
        hz,
        age_s,
        count: (hz * 40.0) as u64,
        silent_after_s: (hz > 0.5).then_some(1.0),
        ..Default::default()
    }
}

fn run() -> Live {
    Live {
        running_s: 41.3,
        instruction: "open the box".to_owned(),
        policy: "flow".to_owned(),
        steered: true,
        seed: 7,
        episodes_over: 3,
        successes: 2,
        outcome: "running".to_owned(),
        stage: Some(Stage {
            stage: 2,
            of: 3,
            name: "move to the handle and close the fingers around it".to_owned(),
            visit: 4,
            guidance: true,
            kind: "advance".to_owned(),
            reason: "progress 1.02 for 0.3 s".to_owned(),
        }),
        progress: Some(Progress {
            achieved: 0.634,
            planned: 0.81,
            reward: -0.0421,
            guidance_strength: 1.5,
            ess: 13.7,
        }),
        arm: Arm {
            mode: "executing".to_owned(),
            chunks: 38,
            holds: 2,
            hold_s: 0.62,
            states: 2_065,
            missing: 0,
            longest_ms: 31.4,
        },
        safety: Safety {
            counts: [("clamped".to_owned(), 4), ("stale_chunk".to_owned(), 1)].into(),
            last: Some(SafetyLast {
                kind: "clamped".to_owned(),
                text: "expected at most 1.7 m/s, found 1.9\u{1b}[2J".to_owned(),
                age_s: 3.25,
            }),
        },
        waiting_for: [("vlm-reward".to_owned(), "advice from a model".to_owned())].into(),
        hops: vec![
            Hop {
                name: "image to keypoints".to_owned(),
                count: 1_000,
                p50_ms: 4.21,
                p99_ms: 9.87,
                longest_ms: 17.0,
            },
            Hop {
                name: "chunk to its execution".to_owned(),
                ..Default::default()
            },
        ],
        ports: vec![
            port("world/image", 25.0, Some(0.02)),
            port("keypoint-grounding/keypoints", 0.9, Some(4.4)),
            Port {
                lost: 3,
                refused: 2,
                ..port("steered-sampler/action_chunk", 0.4, Some(1.1))
            },
            port("steered-sampler/progress", 0.0, None),
            Port {
                is_irregular: true,
                ..port("console/status", 0.0, None)
            },
        ],
        ..Default::default()
    }
}

#[test]
fn a_run_in_a_wide_terminal() {
    insta::assert_snapshot!(draw(&run(), 0.2, 120));
}

#[test]
fn a_run_in_80_columns() {
    let text = draw(&run(), 0.2, 80);
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    insta::assert_snapshot!(text);
}

#[test]
fn no_line_is_longer_than_asked_and_nothing_is_hidden() {
    for columns in [10, 60, 61, 80, 99, 100, 250] {
        let text = draw(&run(), 0.2, columns);
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(columns.max(60)), "{columns}: {longest:?}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn silence_and_the_end_are_told() {
    let text = draw(&run(), 0.2, 80);
    let silent: Vec<_> = text.lines().filter(|l| l.ends_with("SILENT")).collect();
    assert_eq!(silent.len(), 1, "{text}");
    assert!(silent[0].starts_with("keypoint-grounding/keypoints"));
    assert!(text.contains("nothing yet"));
    assert!(!text.contains("NO WORD"));
    assert!(draw(&run(), 7.0, 80).contains("NO WORD FOR 7.0 s"));
    let ended = Live {
        ended: Some(Ended {
            outcome: "timeout".to_owned(),
            reason: "the time is up".to_owned(),
        }),
        ..run()
    };
    let text = draw(&ended, 200.0, 80);
    assert!(
        text.starts_with("ENDED     3 min ago, after 41 s\noutcome   timeout: the time is up\n")
    );
    assert!(
        !text.contains("SILENT") && !text.contains("NO WORD"),
        "{text}"
    );
}

#[test]
fn a_run_of_which_nothing_is_known_yet_is_drawn() {
    let text = draw(&Live::default(), 0.0, 80);
    assert!(text.contains("arm       says nothing"), "{text}");
    assert!(text.contains("safety    nothing"), "{text}");
}
