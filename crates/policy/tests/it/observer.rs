//! A moment is taken into a policy's history once, whether it is observed, encoded or both.

use tiller_policy::{Observer, Policy};
use tiller_steering::Denoiser;

use crate::common::{floats, grey};
use crate::policy::with_memory;

const MS: u64 = 1_000_000;

fn observe(observer: &mut Observer, policy: &mut Policy, stamp_ns: u64, brightness: u8) {
    grey(brightness, |seen| {
        observer.observe(policy, stamp_ns, seen).unwrap();
    });
}

/// The static picture's brightness, from -1 to 1, of the moment before and of the newest.
fn encode(observer: &mut Observer, policy: &mut Policy, stamp_ns: u64, brightness: u8) -> [f32; 2] {
    grey(brightness, |seen| {
        observer.encode(policy, stamp_ns, seen).unwrap();
    });
    let condition = floats(policy.conditions());
    [condition[0], condition[1]]
}

#[test]
fn a_moment_that_was_observed_is_encoded_without_being_taken_in_again() {
    let (mut observer, mut policy) = (Observer::default(), with_memory());
    observe(&mut observer, &mut policy, 100 * MS, 0);
    observe(&mut observer, &mut policy, 200 * MS, 255);
    for _ in 0..3 {
        assert_eq!(
            encode(&mut observer, &mut policy, 200 * MS, 255),
            [-1.0, 1.0]
        );
    }
}

#[test]
fn a_moment_is_observed_once() {
    let (mut observer, mut policy) = (Observer::default(), with_memory());
    observe(&mut observer, &mut policy, 100 * MS, 0);
    for _ in 0..3 {
        observe(&mut observer, &mut policy, 200 * MS, 255);
    }
    assert_eq!(
        encode(&mut observer, &mut policy, 200 * MS, 255),
        [-1.0, 1.0]
    );
    // What was encoded is not observed again either.
    observe(&mut observer, &mut policy, 200 * MS, 255);
    assert_eq!(encode(&mut observer, &mut policy, 300 * MS, 0), [1.0, -1.0]);
}

#[test]
fn an_observation_that_is_refused_was_not_shown() {
    let (mut observer, mut policy) = (Observer::default(), with_memory());
    observe(&mut observer, &mut policy, 100 * MS, 0);
    grey(255, |seen| {
        let blind = tiller_policy::Observation {
            images: &[],
            ..*seen
        };
        assert!(observer.observe(&mut policy, 200 * MS, &blind).is_err());
        assert!(observer.encode(&mut policy, 200 * MS, &blind).is_err());
    });
    // The sound one of the same moment is taken, and the history begins with it.
    assert_eq!(
        encode(&mut observer, &mut policy, 200 * MS, 255),
        [1.0, 1.0]
    );
}

#[test]
fn nothing_of_another_episode_is_remembered() {
    let (mut observer, mut policy) = (Observer::default(), with_memory());
    encode(&mut observer, &mut policy, 100 * MS, 0);
    observer.forget(&mut policy);
    assert!(policy.predict(&[0.0; 12], 1, 1.0, &mut [0.0; 12]).is_err());
    // Time may start anew with it: the same stamp is another moment.
    assert_eq!(
        encode(&mut observer, &mut policy, 100 * MS, 255),
        [1.0, 1.0]
    );
}
