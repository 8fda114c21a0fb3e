//! Tiny graphs in a real ONNX Runtime: right answers, and clear words when something is off.

use crate::common::{Copy, SIDE, data, floats, grey};
use tiller_policy::{Bundle, ImageView, Observation, Policy, PolicyError, RuntimeOptions};
use tiller_steering::{Denoiser, SteeringConfig};

const STATE: [f32; 4] = [0.5, 0.2, 0.1, 0.08];

fn open(bundle: &Bundle) -> Result<Policy, PolicyError> {
    Policy::open(bundle, &RuntimeOptions::default())
}

fn tiny() -> Policy {
    open(&Bundle::load(&data()).unwrap()).unwrap()
}

/// Encodes a static picture that is 255 everywhere and a wrist picture of one colour.
fn encode(policy: &mut Policy, wrist: [u8; 3]) -> Result<Vec<f32>, PolicyError> {
    let (white, coloured) = ([255; SIDE * SIDE * 3], wrist.repeat(SIDE * SIDE));
    let view = |name, rgb| ImageView {
        name,
        width: SIDE,
        height: SIDE,
        rgb,
    };
    policy
        .encode(&Observation {
            // Order does not matter, and a camera that the policy does not know is ignored.
            images: &[
                view("wrist", &coloured),
                view("side", &white),
                view("static", &white),
            ],
            state: &STATE,
            environment: &[],
            instruction: "",
        })
        .map(|conditions| conditions[0].floats().unwrap().to_vec())
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

#[test]
fn the_encoder_sees_normalised_pictures_and_state() {
    let mut policy = tiny();
    assert_eq!(policy.conditions()[0].shape(), [1, 3]);
    let condition = encode(&mut policy, [0, 51, 255]).unwrap();
    // (1 - 0.5) / 0.5; the mean of 0, 0.2 and 1; (0.1 / 0.1) + (0.2 / 0.2) + (-0.1 / 0.1) + 1.
    assert_close(&condition, &[1.0, 0.4, 2.0]);
}

#[test]
fn the_denoiser_serves_any_number_of_particles_with_the_last_condition() {
    let mut policy = tiny();
    assert_eq!((policy.horizon(), policy.action_dim()), (3, 4));
    encode(&mut policy, [0; 3]).unwrap();
    for particles in [1, 20, 7, 20] {
        let sample: Vec<f32> = (0..particles * 12).map(|i| i as f32).collect();
        let mut out = vec![f32::NAN; sample.len()];
        for time in [1.0, 0.25] {
            policy.predict(&sample, particles, time, &mut out).unwrap();
            // condition[0] is 1.
            let expected: Vec<f32> = sample.iter().map(|x| x + time + 1.0).collect();
            assert_close(&out, &expected);
        }
    }
}

#[test]
fn numbers_that_are_not_finite_stay_in_their_particle() {
    let mut policy = tiny();
    encode(&mut policy, [0; 3]).unwrap();
    let mut sample = vec![0.0; 24];
    sample[5] = f32::NAN;
    let mut out = vec![0.0; 24];
    policy.predict(&sample, 2, 0.5, &mut out).unwrap();
    assert!(out[5].is_nan());
    assert_close(&out[12..], &[1.5; 12]);
}

#[test]
fn actions_unnormalise_to_the_manifests_range() {
    let space = tiny().action_space();
    space.validate().unwrap();
    assert_close(&space.scale, &[0.03, 0.02, 0.02, 1.0]);
    assert_close(&space.offset, &[0.0, 0.0, 0.01, 0.0]);
    assert_eq!(space.layout.gripper.unwrap().column, 3);
}

#[test]
fn predicting_needs_an_observation_and_buffers_of_the_right_length() {
    let mut policy = tiny();
    let mut out = vec![0.0; 12];
    let error = policy.predict(&[0.0; 12], 1, 1.0, &mut out).unwrap_err();
    assert!(
        error.to_string().contains("call `encode` before"),
        "{error}"
    );
    encode(&mut policy, [0; 3]).unwrap();
    let error = policy.predict(&[0.0; 12], 2, 1.0, &mut out).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("sample: expected 24 numbers, found 12"),
        "{error}"
    );
    assert!(policy.predict(&[], 0, 1.0, &mut []).is_err());
}

#[test]
fn an_observation_that_does_not_fit_is_refused_with_every_reason() {
    let mut policy = tiny();
    encode(&mut policy, [0; 3]).unwrap();
    let pixels = [0; 27];
    let observation = Observation {
        images: &[ImageView {
            name: "static",
            width: 3,
            height: 3,
            rgb: &pixels,
        }],
        state: &[0.0, f32::NAN, 0.0, 0.0],
        environment: &[],
        instruction: "",
    };
    let error = policy.encode(&observation).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the observation does not fit the policy:\
         \n  - image `static`: expected 4 x 4 pixels of rgb8, found 3 x 3 in 27 bytes\
         \n  - image `wrist`: expected 4 x 4 pixels of rgb8, found only the images [\"static\"]\
         \n  - robot state: expected 4 finite numbers, found [0.0, NaN, 0.0, 0.0]"
    );
    // What was encoded before must not be mistaken for this observation.
    let error = policy.predict(&[0.0; 12], 1, 1.0, &mut [0.0; 12]);
    assert!(error.is_err());
}

/// The tiny policy with an encoder of two observations.
pub(crate) fn with_memory() -> Policy {
    let copy = Copy::new();
    let bytes = std::fs::read(data().join("encoder_history.onnx")).unwrap();
    copy.replace("encoder.onnx", &bytes);
    copy.edit("horizon = 3", "observation_steps = 2\nhorizon = 3");
    open(&copy.load().unwrap()).unwrap()
}

#[test]
fn the_encoder_sees_the_last_observations_the_newest_last() {
    let mut policy = with_memory();
    let encode = |brightness, policy: &mut Policy| {
        let mut condition = Vec::new();
        grey(brightness, |observation| {
            condition = floats(policy.encode(observation).unwrap());
        });
        condition
    };
    assert!(matches!(
        policy.encode_history(),
        Err(PolicyError::NotObserved)
    ));
    // The static picture is normalised to [-1, 1], the wrist's to [0, 1]. The first observation
    // stands for the one before it.
    assert_close(&encode(255, &mut policy), &[1.0, 1.0, 1.0]);
    assert_close(&encode(0, &mut policy), &[1.0, -1.0, 0.5]);
    assert_close(&encode(0, &mut policy), &[-1.0, -1.0, 0.0]);
    // What is observed between is seen, and encoding it again takes nothing in.
    grey(255, |observation| policy.observe(observation).unwrap());
    for _ in 0..2 {
        assert_close(&floats(policy.encode_history().unwrap()), &[-1.0, 1.0, 0.5]);
    }
    policy.reset();
    assert!(policy.predict(&[0.0; 12], 1, 1.0, &mut [0.0; 12]).is_err());
    assert_close(&encode(0, &mut policy), &[-1.0, -1.0, 0.0]);
}

#[test]
fn a_refused_observation_empties_the_history() {
    let mut policy = with_memory();
    grey(255, |observation| policy.observe(observation).unwrap());
    let nothing = Observation {
        images: &[],
        state: &STATE,
        environment: &[],
        instruction: "",
    };
    let error = policy.encode(&nothing).unwrap_err();
    assert!(matches!(error, PolicyError::Observation(_)), "{error}");
    assert!(matches!(
        policy.encode_history(),
        Err(PolicyError::NotObserved)
    ));
    grey(0, |observation| {
        let condition = floats(policy.encode(observation).unwrap());
        assert_close(&condition, &[-1.0, -1.0, 0.0]);
    });
}

#[test]
fn an_encoder_must_see_as_many_observations_as_the_manifest_says() {
    let copy = Copy::new();
    copy.edit("horizon = 3", "observation_steps = 2\nhorizon = 3");
    let message = open(&copy.load().unwrap()).unwrap_err().to_string();
    assert!(
        message.contains("input `observation.state`: expected float32 [1, 2, 4], found"),
        "{message}"
    );
}

#[test]
fn the_bundle_decides_the_sampler_and_where_execution_starts() {
    let copy = Copy::new();
    copy.edit("execute_steps = 2", "execute_start = 1\nexecute_steps = 2");
    let policy = open(&copy.load().unwrap()).unwrap();
    let mut steering = SteeringConfig {
        guide_scale: 3.0,
        ..SteeringConfig::default()
    };
    policy.configure(&mut steering);
    assert_eq!(&steering.scheduler, policy.sampler());
    assert_eq!(
        (
            steering.steps(),
            steering.execute_start,
            steering.guide_scale
        ),
        (10, 1, 3.0)
    );
}

#[test]
fn several_policies_share_the_runtime_and_stay_apart() {
    let (mut first, mut second) = (tiny(), tiny());
    encode(&mut first, [0; 3]).unwrap();
    assert!(second.predict(&[0.0; 12], 1, 0.0, &mut [0.0; 12]).is_err());
    encode(&mut second, [255; 3]).unwrap();
    let mut out = [0.0; 12];
    first.predict(&[0.0; 12], 1, 0.0, &mut out).unwrap();
    assert_close(&out, &[1.0; 12]);
}

#[test]
fn a_policy_can_move_to_another_thread() {
    fn assert_send<T: Send>() {}
    assert_send::<Policy>();
}

#[test]
fn policies_open_run_and_close_on_several_threads_at_once() {
    let bundle = Bundle::load(&data()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let mut policy = open(&bundle).unwrap();
                    encode(&mut policy, [0; 3]).unwrap();
                    let mut out = [0.0; 24];
                    policy.predict(&[0.0; 24], 2, 0.0, &mut out).unwrap();
                    assert_close(&out, &[1.0; 24]);
                }
            });
        }
    });
}
