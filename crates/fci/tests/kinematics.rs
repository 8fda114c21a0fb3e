//! Tiller's kinematics against those of the robots' client, on ten thousand joint vectors.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use franka::Model;
use franka::model::{FER_URDF, FR3_URDF, Frame};
use tiller_motion::kinematics::{Chain, HAND_TCP_M};
use tiller_motion::limits::{JointLimits, Limits};

const CONFIGURATIONS: usize = 10_000;

/// What poses (m, and entries of rotations) and Jacobians may differ by.
const TOLERANCE: f64 = 1e-9;

const LINKS: [Frame; 7] = [
    Frame::Joint1,
    Frame::Joint2,
    Frame::Joint3,
    Frame::Joint4,
    Frame::Joint5,
    Frame::Joint6,
    Frame::Joint7,
];

/// Joint vectors within the limits, the same ones every time: a xorshift generator.
fn configurations(limits: &JointLimits) -> Vec<[f64; 7]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut part = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut one = || {
        std::array::from_fn(|joint| {
            let (low, high) = (
                limits.position_min_rad[joint],
                limits.position_max_rad[joint],
            );
            low + (high - low) * part()
        })
    };
    (0..CONFIGURATIONS).map(|_| one()).collect()
}

/// From the flange to between the fingertips, by columns: the hand is mounted at -45 degrees.
fn flange_to_fingertips() -> [f64; 16] {
    let s = std::f64::consts::FRAC_1_SQRT_2;
    [
        s, -s, 0.0, 0.0, s, s, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, HAND_TCP_M, 1.0,
    ]
}

const IDENTITY: [f64; 16] = [
    1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
];

/// The largest difference of a pose, and of a Jacobian.
fn differences(model: &Model, limits: &JointLimits) -> (f64, f64) {
    let tool = flange_to_fingertips();
    let (mut poses, mut jacobians) = (0.0f64, 0.0f64);
    for q in configurations(limits) {
        let chain = Chain::new(&q);
        let mut compare = |theirs: [f64; 16], rotation: &[f64], position: &[f64]| {
            for axis in 0..3 {
                poses = poses.max((theirs[12 + axis] - position[axis]).abs());
                for column in 0..3 {
                    let ours = rotation[3 * column + axis];
                    poses = poses.max((theirs[4 * column + axis] - ours).abs());
                }
            }
        };
        for (link, frame) in LINKS.into_iter().enumerate() {
            let (rotation, origin) = (&chain.rotations[link], &chain.origins[link]);
            let theirs = model.pose_q(frame, &q, &tool, &IDENTITY);
            compare(theirs, rotation.as_slice(), origin.as_slice());
        }
        let theirs = model.pose_q(Frame::EndEffector, &q, &tool, &IDENTITY);
        compare(theirs, chain.rotation.as_slice(), chain.position.as_slice());
        let theirs = model.zero_jacobian_q(Frame::EndEffector, &q, &tool, &IDENTITY);
        for (ours, theirs) in chain.jacobian().as_slice().iter().zip(theirs) {
            jacobians = jacobians.max((ours - theirs).abs());
        }
    }
    (poses, jacobians)
}

#[test]
fn kinematics_are_those_of_the_robots_client() {
    for (name, urdf, limits) in [
        ("FER", FER_URDF, Limits::panda()),
        ("FR3", FR3_URDF, Limits::fr3()),
    ] {
        let model = Model::from_urdf(urdf).unwrap();
        let (poses, jacobians) = differences(&model, &limits.joint);
        println!("{name}: poses differ by {poses:e}, Jacobians by {jacobians:e}");
        assert!(
            poses < TOLERANCE && jacobians < TOLERANCE,
            "{name}: {poses:e} {jacobians:e}"
        );
    }
}
