//! Bundles whose encoder hands on several tensors of different ranks and types.

use crate::common::{Copy, data, grey};
use tiller_policy::{Policy, PolicyError, RuntimeOptions};
use tiller_steering::Denoiser;

/// The tiny bundle with other graphs.
fn open(encoder: &str, denoiser: &str) -> Result<Policy, PolicyError> {
    let copy = Copy::new();
    for (role, by) in [("encoder.onnx", encoder), ("denoiser.onnx", denoiser)] {
        if role != by {
            copy.replace(role, &std::fs::read(data().join(by)).unwrap());
        }
    }
    Policy::open(&copy.load().unwrap(), &RuntimeOptions::default())
}

fn predict(policy: &mut Policy, particles: usize) -> Vec<f32> {
    let mut out = vec![0.0; particles * 12];
    let sample = vec![1.0; particles * 12];
    policy.predict(&sample, particles, 0.5, &mut out).unwrap();
    out
}

#[test]
fn every_condition_reaches_the_denoiser_by_its_name() {
    let mut policy = open("encoder_conditions.onnx", "denoiser_conditions.onnx").unwrap();
    let described: Vec<_> = policy
        .conditions()
        .iter()
        .map(|condition| (condition.name().to_owned(), condition.shape().to_vec()))
        .collect();
    let expected = [
        ("condition".to_owned(), vec![1, 3]),
        ("context".to_owned(), vec![1, 2, 2]),
        ("kept".to_owned(), vec![1, 2, 1]),
    ];
    assert_eq!(described, expected);
    policy.warm_up(&[1, 5]).unwrap();
    let mut conditions = Vec::new();
    grey(255, |seen| {
        // Normalised, the state is [1, -1, -0.5, 2]: the first row is kept, the second is not.
        let state = [0.5, -0.2, 0.15, 0.12];
        let seen = tiller_policy::Observation {
            state: &state,
            ..*seen
        };
        for condition in policy.encode(&seen).unwrap() {
            conditions.push(condition.floats().map(<[f32]>::to_vec));
        }
    });
    let close = |found: &[f32], expected: &[f32]| {
        let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        assert_eq!(found.len(), expected.len());
        assert!(apart.fold(0.0, f32::max) < 1e-5, "{found:?}");
    };
    close(conditions[0].as_deref().unwrap(), &[1.0, 1.0, 1.5]);
    close(conditions[1].as_deref().unwrap(), &[1.0, -1.0, -0.5, 2.0]);
    assert_eq!(conditions[2], None, "integers are no floats");
    for particles in [1, 5, 2] {
        // 1 + 0.5 + the condition's 1 + the kept row's 0.
        close(&predict(&mut policy, particles), &vec![2.5; particles * 12]);
    }
    // The next observation replaces all of them: now both rows are kept.
    grey(0, |seen| {
        let state = [0.5, 0.4, 0.25, 0.12];
        let seen = tiller_policy::Observation {
            state: &state,
            ..*seen
        };
        policy.encode(&seen).map(drop).unwrap();
    });
    close(&predict(&mut policy, 2), &[0.5 + 1.0 - 1.0 + 3.0 + 2.5; 24]);
}

#[test]
fn conditions_that_no_one_takes_or_makes_are_named() {
    let message = |encoder, denoiser| match open(encoder, denoiser).unwrap_err() {
        error @ PolicyError::Interface { .. } => error.to_string(),
        other => panic!("{other}"),
    };
    let unasked = message("encoder_conditions.onnx", "denoiser.onnx");
    for expected in [
        "input `context`: expected float32 [1, 2, 2], found only [\"sample\", \"timestep\", \
         \"condition\"]",
        "input `kept`: expected int64 [1, 2, 1], found only",
    ] {
        assert!(unasked.contains(expected), "{unasked}");
    }
    let unmade = message("encoder.onnx", "denoiser_conditions.onnx");
    for name in ["context", "kept"] {
        let expected = format!("input `{name}`: expected no such input, found");
        assert!(unmade.contains(&expected), "{unmade}");
    }
    let double = message("encoder_double.onnx", "denoiser_conditions.onnx");
    let expected =
        "output `context`: expected float32, int64, int32 or bool of fixed shape [1, ..]";
    assert!(double.contains(expected), "{double}");
}
