//! Warming up changes nothing that anybody can see.

use crate::common::{data, floats, grey};
use tiller_policy::{Bundle, Policy, PolicyError, RuntimeOptions};
use tiller_steering::Denoiser;

fn tiny() -> Policy {
    let bundle = Bundle::load(&data()).unwrap();
    Policy::open(&bundle, &RuntimeOptions::default()).unwrap()
}

fn predict(policy: &mut Policy) -> Vec<f32> {
    let sample: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let mut out = vec![0.0; 24];
    policy.predict(&sample, 2, 0.5, &mut out).unwrap();
    out
}

#[test]
fn a_warm_policy_has_still_seen_nothing() {
    let mut policy = tiny();
    policy.warm_up(&[20, 1]).unwrap();
    let error = policy.predict(&[0.0; 12], 1, 0.5, &mut [0.0; 12]);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("call `encode` before")
    );
    let error = policy.encode_history().unwrap_err();
    assert!(matches!(error, PolicyError::NotObserved), "{error}");
}

#[test]
fn a_warm_policy_answers_as_a_cold_one() {
    let (mut warm, mut cold) = (tiny(), tiny());
    warm.warm_up(&[2, 20]).unwrap();
    for policy in [&mut warm, &mut cold] {
        grey(255, |seen| policy.encode(seen).map(drop).unwrap());
    }
    assert_eq!(predict(&mut warm), predict(&mut cold));
    // In the middle of an episode too.
    warm.warm_up(&[7]).unwrap();
    assert_eq!(predict(&mut warm), predict(&mut cold));
    let condition = floats(cold.encode_history().unwrap());
    assert_eq!(floats(warm.encode_history().unwrap()), condition);
}

#[test]
fn no_particles_cannot_be_warmed_up() {
    assert!(tiny().warm_up(&[0]).is_err());
    assert!(tiny().warm_up(&[]).is_ok());
}
