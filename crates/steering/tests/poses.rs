//! Rewards that read more than positions, and which columns they may move.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use nalgebra::{Matrix3, Vector3};
use support::hand::Last;
use support::{FnReward, MixturePolicy, reach};
use tiller_core::kinematics::{HOME_Q, forward};
use tiller_core::rotation::{left_jacobian, log};
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Frame, Pose, RotationColumns, RotationKind,
};
use tiller_steering::{
    ActionSpace, Guide, Normalise, Reads, Reward, Sampled, Start, Steerer, SteeringConfig,
    SteeringError,
};

const PARTICLES: usize = 16;
const TARGET: [f32; 3] = [0.5, -0.3, 0.2];
/// Where rotation vectors are measured from.
const STILL: Start = Start {
    pose: Pose::IDENTITY,
    opening: 0.5,
    joints_rad: None,
};

/// `-|log R - target|^2 / 2`: of one step from no rotation, exactly quadratic in its rotation vector.
fn turned_to(target: [f32; 3]) -> impl Reward {
    Last {
        reads: Reads {
            rotations: true,
            gripper: false,
        },
        of_last: move |_, rotation: Matrix3<f64>, _| {
            let vector = log(&rotation);
            let off = vector - Vector3::from(target.map(f64::from));
            let inverse = left_jacobian(&vector).try_inverse().unwrap();
            let torque = inverse.tr_mul(&-off);
            (
                (-off.norm_squared() / 2.0) as f32,
                Vector3::zeros(),
                torque,
                0.0,
            )
        },
    }
}

/// `-opening^2 / 2`.
fn closed() -> impl Reward {
    Last {
        reads: Reads {
            rotations: false,
            gripper: true,
        },
        of_last: |_, _, opening: f32| {
            let value = -opening * opening / 2.0;
            (value, Vector3::zeros(), Vector3::zeros(), -opening)
        },
    }
}

/// Positions, a rotation vector and a gripper, or the first two exchanged.
fn layout(mode: ActionMode, position: [usize; 3], rotation: [usize; 3]) -> ActionLayout {
    ActionLayout {
        arm: ArmColumns::Pose {
            position,
            rotation: Some(RotationColumns {
                columns: rotation.to_vec(),
                kind: RotationKind::RotationVector,
            }),
        },
        mode,
        ..ActionLayout::position_deltas(7, [0; 3], Some(6), 10.0)
    }
}

const BASE: ActionMode = ActionMode::DeltaPose(Frame::Base);
const TOOL: ActionMode = ActionMode::DeltaPose(Frame::Tool);
const ALL: Guide = Guide {
    rotation: true,
    gripper: true,
};

fn policy(horizon: usize) -> MixturePolicy {
    let mean = [0.1, -0.1, 0.0, 0.05, 0.1, 0.2, 0.3].repeat(horizon);
    MixturePolicy::gaussian(horizon, 7, mean, 0.25)
}

fn config(guide: Guide) -> SteeringConfig {
    SteeringConfig {
        particles: PARTICLES,
        guide,
        diversity: None,
        feynman_kac: None,
        ..SteeringConfig::default()
    }
}

fn sample(
    config: SteeringConfig,
    layout: ActionLayout,
    horizon: usize,
    reward: &mut dyn Reward,
) -> Sampled {
    let mut steerer = Steerer::new(config, ActionSpace::plain(layout), horizon).unwrap();
    let sampled = steerer.sample(&mut policy(horizon), Some(reward), &STILL, 0.0, 5, 0);
    sampled.unwrap().clone()
}

/// Columns of all particles in turn.
fn columns(sampled: &Sampled, columns: std::ops::Range<usize>) -> Vec<f32> {
    let rows = sampled.samples.chunks_exact(7);
    rows.flat_map(|row| row[columns.clone()].to_vec()).collect()
}

/// The distributions that guidance and resampling lead to for a quadratic reward on the position are
/// proved in `closed_form.rs`. One step's rotation vector and one step's displacement are the same
/// thing to a quadratic reward, so what the sampler draws must be the same, number by number.
#[test]
fn a_reward_on_the_orientation_steers_as_one_on_the_position_does() {
    let on_position = || {
        FnReward(|trajectory: &[f32], gradient: &mut [f32]| {
            let mut value = 0.0;
            for axis in 0..3 {
                let off = trajectory[3 + axis] - TARGET[axis];
                value -= off * off / 2.0;
                gradient[3 + axis] = -off;
            }
            value
        })
    };
    for normalise in [Normalise::Particle, Normalise::Batch, Normalise::None] {
        let config = SteeringConfig {
            normalise,
            feynman_kac: SteeringConfig::default().feynman_kac,
            ..config(ALL)
        };
        let turning = layout(BASE, [3, 4, 5], [0, 1, 2]);
        let turned = sample(config.clone(), turning, 1, &mut turned_to(TARGET));
        let moving = layout(BASE, [0, 1, 2], [3, 4, 5]);
        let moved = sample(config.clone(), moving.clone(), 1, &mut on_position());
        let free = SteeringConfig {
            guide_scale: 0.0,
            ..config
        };
        let free = sample(free, moving, 1, &mut on_position());
        let apart = |a: &Sampled, b: &Sampled| {
            let pairs = a.samples.iter().zip(&b.samples);
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(apart(&turned, &moved) < 1e-4, "{normalise:?}");
        assert!(apart(&turned, &free) > 0.05, "{normalise:?}");
        assert_eq!(turned.resamplings, moved.resamplings);
        assert_eq!(turned.selected, moved.selected);
    }
}

#[test]
fn more_guidance_turns_the_hand_further_to_where_it_should_be() {
    for mode in [BASE, TOOL, ActionMode::AbsolutePose] {
        let mean = |guide_scale: f32| {
            let config = SteeringConfig {
                guide_scale,
                ..config(ALL)
            };
            let moving = layout(mode, [0, 1, 2], [3, 4, 5]);
            let sampled = sample(config, moving, 4, &mut turned_to([0.9, -0.2, 1.2]));
            sampled.rewards.iter().sum::<f32>() / PARTICLES as f32
        };
        let rewards = [0.0, 0.25, 0.5, 1.0].map(mean);
        let rises = rewards.windows(2).all(|pair| pair[1] > pair[0]);
        assert!(rises, "{mode:?}: {rewards:?}");
    }
}

#[test]
fn more_guidance_closes_the_gripper_further() {
    let mean = |guide_scale: f32| {
        let config = SteeringConfig {
            guide_scale,
            ..config(ALL)
        };
        let moving = layout(BASE, [0, 1, 2], [3, 4, 5]);
        let sampled = sample(config, moving, 4, &mut closed());
        sampled.rewards.iter().sum::<f32>() / PARTICLES as f32
    };
    let rewards = [0.0, 0.25, 0.5, 1.0].map(mean);
    assert!(
        rewards.windows(2).all(|pair| pair[1] > pair[0]),
        "{rewards:?}"
    );
}

#[test]
fn the_gripper_may_be_guided_more_than_the_arm() {
    let sampled = |gripper_scale: f32| {
        let config = SteeringConfig {
            guide_scale: 0.25,
            gripper_scale,
            ..config(ALL)
        };
        let moving = layout(BASE, [0, 1, 2], [3, 4, 5]);
        sample(config, moving, 4, &mut closed())
    };
    let mean = |scale| sampled(scale).rewards.iter().sum::<f32>() / PARTICLES as f32;
    let rewards = [0.0, 1.0, 4.0].map(mean);
    assert!(
        rewards.windows(2).all(|pair| pair[1] > pair[0]),
        "{rewards:?}"
    );
}

#[test]
fn without_leave_rotation_and_gripper_stay_the_policys_own() {
    let moving = || layout(BASE, [0, 1, 2], [3, 4, 5]);
    let unguided = SteeringConfig {
        guide_scale: 0.0,
        ..config(ALL)
    };
    let free = sample(unguided, moving(), 4, &mut closed());
    let (mut turned, mut closed) = (turned_to(TARGET), closed());
    let rewards: [&mut dyn Reward; 2] = [&mut turned, &mut closed];
    for reward in rewards {
        let guided = sample(config(Guide::default()), moving(), 4, reward);
        assert_eq!(guided.samples, free.samples);
    }
    // Leave for one is none for the other.
    let only = Guide {
        rotation: true,
        gripper: false,
    };
    let guided = sample(config(only), moving(), 4, &mut turned);
    assert_ne!(columns(&guided, 3..6), columns(&free, 3..6));
    assert_eq!(columns(&guided, 6..7), columns(&free, 6..7));
    assert_eq!(columns(&guided, 0..3), columns(&free, 0..3));
}

#[test]
fn each_block_is_pushed_by_its_own_measure() {
    // A steep reward on the position beside a flat one on the orientation.
    let run = |steep: f64| {
        let mut reward = Last {
            reads: Reads {
                rotations: true,
                gripper: false,
            },
            of_last: move |_, _, _| (0.0, Vector3::x() * steep, Vector3::z() * 1e-3, 0.0),
        };
        let moving = layout(BASE, [0, 1, 2], [3, 4, 5]);
        sample(config(ALL), moving, 1, &mut reward)
    };
    let (steep, flat) = (run(1e4), run(0.0));
    assert_eq!(columns(&steep, 3..6), columns(&flat, 3..6));
    assert_ne!(columns(&steep, 0..3), columns(&flat, 0..3));
}

#[test]
fn in_the_tool_frame_a_reward_on_positions_turns_only_with_leave() {
    let target = [0.3, -0.4, 0.1];
    let moving = || layout(TOOL, [0, 1, 2], [3, 4, 5]);
    let unguided = SteeringConfig {
        guide_scale: 0.0,
        ..config(ALL)
    };
    let free = sample(unguided, moving(), 4, &mut reach(target));
    let held = sample(config(Guide::default()), moving(), 4, &mut reach(target));
    assert_ne!(columns(&held, 0..3), columns(&free, 0..3));
    assert_eq!(columns(&held, 3..7), columns(&free, 3..7));
    let turned = sample(config(ALL), moving(), 4, &mut reach(target));
    assert_ne!(columns(&turned, 3..6), columns(&free, 3..6));
    assert_eq!(columns(&turned, 6..7), columns(&free, 6..7));
}

#[test]
fn a_joint_space_policy_is_steered_by_the_same_reward() {
    let home = forward(&HOME_Q).position_m;
    let target = [home[0] as f32 - 0.05, home[1] as f32 + 0.15, home[2] as f32];
    for mode in [ActionMode::JointPosition, ActionMode::JointVelocity] {
        let layout = ActionLayout {
            arm: ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6]),
            mode,
            ..ActionLayout::position_deltas(7, [0; 3], None, 10.0)
        };
        let space = ActionSpace {
            offset: match mode {
                ActionMode::JointPosition => HOME_Q.map(|q| q as f32).to_vec(),
                _ => vec![0.0; 7],
            },
            scale: vec![0.3; 7],
            layout,
        };
        let mut policy = MixturePolicy::gaussian(6, 7, vec![0.0; 42], 0.3);
        let mut mean = |guide_scale: f32| {
            let config = SteeringConfig {
                guide_scale,
                ..config(Guide::default())
            };
            let mut steerer = Steerer::new(config, space.clone(), 6).unwrap();
            let start = Start::at_joints(HOME_Q);
            let sampled = steerer
                .sample(&mut policy, Some(&mut reach(target)), &start, 0.0, 2, 0)
                .unwrap();
            let ends = sampled.path.last().unwrap().joints_rad.unwrap();
            let at = forward(&ends).position_m;
            let own = sampled.trajectory_of(sampled.selected);
            for axis in 0..3 {
                assert!((f64::from(own[own.len() - 3 + axis]) - at[axis]).abs() < 1e-6);
            }
            sampled.rewards.iter().sum::<f32>() / PARTICLES as f32
        };
        let rewards = [0.0, 0.25, 0.5, 1.0].map(&mut mean);
        let rises = rewards.windows(2).all(|pair| pair[1] > pair[0] + 1e-3);
        assert!(rises, "{mode:?}: {rewards:?}");

        let mut steerer = Steerer::new(config(Guide::default()), space.clone(), 6).unwrap();
        let error = steerer
            .sample(&mut policy, None, &Start::at([0.5, 0.0, 0.2]), 0.0, 2, 0)
            .unwrap_err();
        assert!(matches!(error, SteeringError::NoJoints { .. }), "{error}");
    }
}

#[test]
fn a_reward_cannot_read_a_gripper_that_is_not_there() {
    let mut without = layout(BASE, [0, 1, 2], [3, 4, 5]);
    without.gripper = None;
    without.ignored = vec![6];
    let space = ActionSpace::plain(without);
    let error = Steerer::new(config(ALL), space.clone(), 4).unwrap_err();
    assert!(error.to_string().contains("`gripper`"), "{error}");
    let mut steerer = Steerer::new(config(Guide::default()), space, 4).unwrap();
    let error = steerer
        .sample(&mut policy(4), Some(&mut closed()), &STILL, 0.0, 5, 0)
        .unwrap_err();
    assert!(matches!(error, SteeringError::NoGripper), "{error}");
}

/// Rotations without a number lose their particle like positions do.
#[test]
fn a_torque_that_is_no_number_loses_its_particle() {
    let mut calls = 0;
    let mut reward = Last {
        reads: Reads {
            rotations: true,
            gripper: false,
        },
        of_last: |_, _, _| {
            calls += 1;
            let torque = if calls == 3 { f64::NAN } else { 1.0 };
            (0.0, Vector3::zeros(), Vector3::z() * torque, 0.0)
        },
    };
    let moving = layout(BASE, [0, 1, 2], [3, 4, 5]);
    let sampled = sample(config(ALL), moving, 2, &mut reward);
    assert_eq!(sampled.lost, 1);
    assert!(sampled.rewards[2].is_nan());
}
