//! The whole hand: turns, poses and joints become the motion that they describe.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Rig, chunk, distance, row, send, seven, six, usage};
use nalgebra::{UnitQuaternion, Vector3};
use tiller_core::{ActionLayout, ActionMode, Continuation, Frame, Pose};
use tiller_motion::kinematics::{HOME_Q, forward};
use tiller_motion::{ActuatorConfig, Mode, Orientation, SafetyKind};

fn turns(rig: &Rig) -> Vec<f64> {
    let poses: Vec<Pose> = rig.stream.iter().map(|s| forward(&s.q_rad)).collect();
    poses
        .windows(2)
        .map(|pair| pair[0].distance_to(&pair[1]).1 / common::PERIOD_S)
        .collect()
}

#[test]
fn a_turn_about_the_tools_axis_leaves_its_tip_where_it_is() {
    for (axis, angle) in [
        ([0.0, 0.0, 1.0], 0.14),
        ([0.0, 0.0, -1.0], 0.14),
        ([1.0, 0.0, 0.0], 0.1),
    ] {
        let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.2]);
        let start = rig.pose();
        let action = [
            0.0,
            0.0,
            0.0,
            axis[0] * angle,
            axis[1] * angle,
            axis[2] * angle,
        ];
        send(
            &mut rig,
            six(ActionMode::DeltaPose(Frame::Tool)),
            action.repeat(6),
        );
        rig.run(1000);
        for point in rig.path() {
            assert!(distance(point, start.position_m) < 1e-3, "{point:?}");
        }
        let turned = UnitQuaternion::from_scaled_axis(Vector3::from(axis) * 6.0 * angle);
        let end = Pose::from_parts(start.position(), &(start.rotation() * turned));
        let (off_m, off_rad) = rig.pose().distance_to(&end);
        assert!(off_m < 1e-4 && off_rad < 1e-3, "{off_m} {off_rad}");
        assert!(turns(&rig).iter().all(|speed| *speed < 1.05 * 10.0 * angle));
        assert!(rig.kinds().is_empty());
    }
}

#[test]
fn a_path_of_200_mm_and_60_degrees_ends_on_its_last_pose() {
    let config = ActuatorConfig::default();
    for (direction, axis) in [
        ([0.0, 1.0, 0.2], [0.3, -0.2, 0.9]),
        ([-0.3, -0.8, 0.4], [0.0, 1.0, 0.0]),
        ([-0.6, 0.6, -0.3], [1.0, 0.0, 0.0]),
        ([0.2, 0.9, -0.5], [0.0, 0.0, -1.0]),
    ] {
        for mode in [ActionMode::DeltaPose(Frame::Base), ActionMode::AbsolutePose] {
            let mut rig = Rig::over(config, [0.5, -0.05, 0.2]);
            let start = rig.pose();
            let displacement = Vector3::from(direction).normalize() * 0.01;
            let turn = Vector3::from(axis).normalize() * (60f64.to_radians() / 20.0);
            let at = |step: f64| {
                let turned = UnitQuaternion::from_scaled_axis(turn * step) * start.rotation();
                Pose::from_parts(start.position() + displacement * step, &turned)
            };
            let actions: Vec<f64> = (1..=20)
                .flat_map(|step| {
                    let (position, turn) = match mode {
                        ActionMode::AbsolutePose => {
                            let pose = at(f64::from(step));
                            (pose.position(), pose.rotation().scaled_axis())
                        }
                        _ => (displacement, turn),
                    };
                    [position.x, position.y, position.z, turn.x, turn.y, turn.z]
                })
                .collect();
            send(&mut rig, six(mode), actions);
            rig.run(3000);
            assert_eq!(rig.actuator.status().mode, Mode::Holding);
            let (off_m, off_rad) = rig.pose().distance_to(&at(20.0));
            assert!(
                off_m < 1e-3 && off_rad < 0.01,
                "{direction:?}: {off_m} {off_rad}"
            );
            // Straight on the way, and the turn keeps step with the displacement.
            for setpoint in &rig.stream {
                let pose = forward(&setpoint.q_rad);
                let along = (pose.position() - start.position()).dot(&displacement) / 1e-4;
                let (off_m, off_rad) = pose.distance_to(&at(along));
                assert!(off_m < 3e-3 && off_rad < 0.03, "{along}: {off_m} {off_rad}");
            }
            let used = usage(&config.limits, &rig.stream);
            assert!(used.is_within(&config.limits), "{used:?}");
            assert!(rig.kinds().is_empty(), "{direction:?} {axis:?} {mode:?}");
        }
    }
}

#[test]
fn joint_positions_and_speeds_end_where_they_lead() {
    let step = [0.05, -0.04, 0.03, -0.02, -0.02, 0.05, -0.1];
    for mode in [ActionMode::JointPosition, ActionMode::JointVelocity] {
        let mut rig = Rig::new(ActuatorConfig::default());
        let actions = (1..=6)
            .flat_map(|count| -> [f64; 7] {
                std::array::from_fn(|joint| match mode {
                    ActionMode::JointPosition => HOME_Q[joint] + f64::from(count) * step[joint],
                    _ => 10.0 * step[joint],
                })
            })
            .collect();
        send(&mut rig, seven(mode), actions);
        rig.run(1200);
        let q = rig.stream.last().unwrap().q_rad;
        for joint in 0..7 {
            let expected = HOME_Q[joint] + 6.0 * step[joint];
            assert!((q[joint] - expected).abs() < 1e-6, "{joint}: {q:?}");
        }
        assert!(rig.kinds().is_empty());
    }
}

#[test]
fn a_tilted_hand_is_held_tilted_while_its_policy_does_not_turn_it() {
    let config = ActuatorConfig {
        orientation: Orientation::Hold,
        ..ActuatorConfig::default()
    };
    let mut q = HOME_Q;
    (q[4], q[5], q[6]) = (0.4, 2.3, 0.2);
    let mut rig = Rig::at(config, q);
    let start = rig.pose();
    for _ in 0..6 {
        rig.send(&[[-0.01, 0.015, -0.01]; 2]).unwrap();
        rig.run(200);
    }
    rig.run(300);
    let (moved_m, turned_rad) = rig.pose().distance_to(&start);
    assert!(moved_m > 0.2 && turned_rad < 1e-3, "{moved_m} {turned_rad}");
    for setpoint in &rig.stream {
        assert!(forward(&setpoint.q_rad).distance_to(&start).1 < 0.01);
    }
    assert!(rig.kinds().is_empty());
}

/// Steps that turn slowly, as a policy's do.
fn curve(layout: &ActionLayout, steps: usize) -> Vec<f64> {
    (0..steps)
        .flat_map(|step| {
            let (sin, cos) = (0.3 * step as f64).sin_cos();
            let row = match layout.dim {
                6 => vec![0.01 * cos, 0.01 * sin, -0.003, 0.05 * sin, 0.02, 0.06 * cos],
                _ => vec![0.3 * cos, 0.2 * sin, 0.1, 0.2 * cos, -0.2, 0.3 * sin, 0.4],
            };
            assert_eq!(row.len(), layout.dim);
            row
        })
        .collect()
}

#[test]
fn plans_that_agree_join_without_a_seam_in_poses_and_in_joints() {
    for layout in [
        six(ActionMode::DeltaPose(Frame::Base)),
        six(ActionMode::DeltaPose(Frame::Tool)),
        seven(ActionMode::JointVelocity),
    ] {
        let all = curve(&layout, 20);
        let mut whole = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.25]);
        send(&mut whole, layout.clone(), all.clone());
        whole.run(2400);

        let mut joined = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.25]);
        let mut first = chunk(&mut joined, layout.clone(), all[..16 * layout.dim].to_vec());
        first.execute_steps = 8;
        joined.actuator.accept(&first, 0).unwrap();
        joined.run(650);
        let mut next = chunk(&mut joined, layout.clone(), all[6 * layout.dim..].to_vec());
        next.continues = Some(Continuation {
            seq: 1,
            step: 6,
            frozen_steps: 2,
        });
        // What the frozen steps say is the old chunk's business.
        row(&mut next, 1).fill(0.01);
        joined.actuator.accept(&next, joined.now_ns).unwrap();
        assert!(joined.kinds().is_empty());
        joined.run(1750);
        for (a, b) in joined.stream.iter().zip(&whole.stream) {
            for joint in 0..7 {
                assert!((a.q_rad[joint] - b.q_rad[joint]).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn another_kind_of_chunk_takes_over_in_motion_within_the_limits() {
    let config = ActuatorConfig {
        orientation: Orientation::Hold,
        ..ActuatorConfig::default()
    };
    let mut rig = Rig::over(config, [0.5, 0.0, 0.25]);
    for round in 0..6 {
        let layout = if round % 2 == 0 {
            seven(ActionMode::JointVelocity)
        } else {
            six(ActionMode::DeltaPose(Frame::Tool))
        };
        let actions = curve(&layout, 6);
        send(&mut rig, layout.clone(), actions.clone());
        rig.run(370);
        // It does not carry on what is of another kind.
        let other = if round % 2 == 1 {
            seven(ActionMode::JointVelocity)
        } else {
            six(ActionMode::DeltaPose(Frame::Tool))
        };
        let mut stray = chunk(&mut rig, other.clone(), curve(&other, 6));
        stray.continues = Some(Continuation {
            seq: stray.seq - 1,
            step: 4,
            frozen_steps: 0,
        });
        let refusal = rig.actuator.accept(&stray, rig.now_ns).unwrap_err();
        assert_eq!(refusal.kind, SafetyKind::NotContinuing);
    }
    rig.run(1000);
    assert!(*rig.speeds().last().unwrap() < 1e-6);
    let used = usage(&config.limits, &rig.stream);
    assert!(used.is_within(&config.limits), "{used:?}");
}

#[test]
fn a_blocked_arm_is_not_turned_ever_further() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.2]);
    rig.blocked = true;
    let start = rig.pose();
    for _ in 0..20 {
        send(
            &mut rig,
            six(ActionMode::DeltaPose(Frame::Base)),
            vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.05],
        );
        rig.run(100);
    }
    rig.run(300);
    let lead = rig.actuator.status().anchor.distance_to(&start).1;
    assert!((0.02..=0.05 + 1e-6).contains(&lead), "{lead}");
    assert!(rig.pose().distance_to(&start).1 < 0.2);
    let q = rig.actuator.status().anchor_q_rad;
    assert!((0..7).all(|joint| (q[joint] - rig.reading.q_rad[joint]).abs() <= 0.05 + 1e-9));
}

#[test]
fn what_turns_the_hand_by_force_does_not_change_how_it_is_held() {
    for orientation in [Orientation::StraightDown, Orientation::Hold] {
        let config = ActuatorConfig {
            orientation,
            ..ActuatorConfig::default()
        };
        let mut rig = Rig::over(config, [0.5, 0.0, 0.2]);
        let start = rig.pose();
        rig.send(&[[0.0, 0.0, -0.02]; 8]).unwrap();
        // Something holds the arm back and twists the hand.
        rig.blocked = true;
        for _ in 0..45 {
            rig.reading.q_rad[6] += 0.01;
            rig.run(30);
        }
        assert_eq!(rig.kinds(), ["tracking_lost"]);
        let anchor = rig.actuator.status().anchor;
        assert!(anchor.distance_to(&start).1 < 1e-3, "{anchor:?}");
        rig.send(&[[0.0, 0.0, 0.01]; 2]).unwrap();
    }
}

#[test]
fn a_chunk_that_leaves_the_hand_behind_is_given_up() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.2]);
    rig.blocked = true;
    send(
        &mut rig,
        six(ActionMode::DeltaPose(Frame::Base)),
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.14].repeat(10),
    );
    rig.run(2500);
    assert_eq!(rig.kinds(), ["tracking_lost"]);
    assert_eq!(rig.actuator.status().mode, Mode::Holding);
}
