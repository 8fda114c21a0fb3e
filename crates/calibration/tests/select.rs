//! Pictures that are taken at rest, one for each pose.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use nalgebra::{UnitQuaternion, Vector3};
use tiller_calibration::{Selector, Skipped, Verdict};
use tiller_core::{Pose, SECOND_NS};

/// Time between the arm's states, ns.
const STATE_NS: u64 = SECOND_NS / 100;

fn at(x: f64, turn_deg: f64) -> Pose {
    let rotation = UnitQuaternion::from_scaled_axis(Vector3::y() * turn_deg.to_radians());
    Pose::from_parts(Vector3::new(x, 0.2, 0.3), &rotation)
}

/// States from 0 s on, of a tool that is somewhere at each second.
fn arm(seconds: u64, place: impl Fn(f64) -> Pose) -> Selector {
    let states = (0..seconds * SECOND_NS / STATE_NS)
        .map(|n| (n * STATE_NS, place((n * STATE_NS) as f64 / 1e9)));
    Selector::new(states.collect())
}

fn ns(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

#[test]
fn a_moving_arm_is_waited_for() {
    // Rests for 2 s, moves by 10 cm in a second, rests again.
    let mut selector = arm(5, |s| at((s - 2.0).clamp(0.0, 1.0) * 0.1, 0.0));
    let Verdict::Take(first) = selector.consider(ns(1.0)) else {
        panic!();
    };
    selector.keep(first);
    assert_eq!(selector.consider(ns(1.5)), Verdict::Known);
    assert_eq!(
        selector.consider(ns(1.95)),
        Verdict::Moving,
        "it leaves soon"
    );
    assert_eq!(selector.consider(ns(2.5)), Verdict::Moving);
    assert_eq!(
        selector.consider(ns(3.05)),
        Verdict::Moving,
        "it has just come"
    );
    let Verdict::Take(second) = selector.consider(ns(4.0)) else {
        panic!();
    };
    assert!((second.position_m[0] - 0.1).abs() < 1e-12);
    let skipped = Skipped {
        moving: 3,
        known: 1,
        ..Skipped::default()
    };
    assert_eq!(selector.skipped(), skipped);
}

#[test]
fn speeds_up_to_the_limit_are_rest() {
    for (speed_m_s, turn_deg_s, rests) in [
        (0.004, 0.0, true),
        (0.006, 0.0, false),
        (0.0, 0.4, true),
        (0.0, 0.6, false),
    ] {
        let mut selector = arm(2, |s| at(s * speed_m_s, s * turn_deg_s));
        let verdict = selector.consider(ns(1.0));
        assert_eq!(
            matches!(verdict, Verdict::Take(_)),
            rests,
            "{speed_m_s} {turn_deg_s}"
        );
    }
}

#[test]
fn a_pose_between_two_states_is_between_them() {
    let states = vec![
        (0, at(0.0, 0.0)),
        (ns(0.1), at(0.0002, 0.02)),
        (ns(0.2), at(0.0004, 0.04)),
        (ns(0.3), at(0.0006, 0.06)),
    ];
    let Verdict::Take(pose) = Selector::new(states).consider(ns(0.15)) else {
        panic!();
    };
    let (metres, turn) = pose.distance_to(&at(0.0003, 0.03));
    assert!(metres < 1e-9 && turn < 1e-6, "{metres} m, {turn} rad");
}

#[test]
fn without_states_around_it_a_picture_says_nothing() {
    let mut states: Vec<_> = (0..50).map(|n| (n * STATE_NS, at(0.0, 0.0))).collect();
    states.extend((100..150).map(|n| (n * STATE_NS, at(0.0, 0.0))));
    let mut selector = Selector::new(states);
    for seconds in [0.05, 0.45, 0.75, 1.05, 1.45, 9.0] {
        assert_eq!(
            selector.consider(ns(seconds)),
            Verdict::NoState,
            "{seconds} s"
        );
    }
    assert!(matches!(selector.consider(ns(0.3)), Verdict::Take(_)));
    assert_eq!(Selector::default().consider(5), Verdict::NoState);
}

#[test]
fn poses_apart_are_taken_and_near_ones_are_not() {
    let mut selector = arm(12, |s| match s as u64 / 2 {
        0 => at(0.0, 0.0),
        1 => at(0.008, 2.0),
        2 => at(0.012, 0.0),
        3 => at(0.0, 4.0),
        _ => at(0.0, 0.0),
    });
    let taken: Vec<bool> = (0..5)
        .map(|n| match selector.consider(ns(2.0 * f64::from(n) + 1.0)) {
            Verdict::Take(pose) => {
                selector.keep(pose);
                true
            }
            _ => false,
        })
        .collect();
    assert_eq!(taken, [true, false, true, true, false]);
}

#[test]
fn a_pose_that_does_not_show_the_board_is_given_up_after_three_pictures() {
    let mut selector = arm(3, |_| at(0.0, 0.0));
    for n in 0..5 {
        match selector.consider(ns(1.0 + 0.1 * f64::from(n))) {
            Verdict::Take(pose) => selector.miss(pose),
            verdict => assert!(n >= 3 && verdict == Verdict::Known, "{n}: {verdict:?}"),
        }
    }
    assert_eq!(
        (selector.skipped().no_board, selector.skipped().known),
        (3, 2)
    );
}

#[test]
fn sixty_are_enough() {
    let mut selector = arm(70, |s| at(s.floor() * 0.02, 0.0));
    let mut taken = 0;
    for n in 0..65 {
        if let Verdict::Take(pose) = selector.consider(ns(f64::from(n) + 0.5)) {
            selector.keep(pose);
            taken += 1;
        }
    }
    assert_eq!((taken, selector.skipped().enough), (60, 5));
}
