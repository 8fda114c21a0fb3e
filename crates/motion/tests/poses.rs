//! The whole hand: turns, poses and joints become the motion that they describe.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Rig, distance, row, usage};
use nalgebra::{UnitQuaternion, Vector3};
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Continuation, Frame, Pose, RotationColumns, RotationKind,
};
use tiller_motion::kinematics::{HOME_Q, forward};
use tiller_motion::{
    Actuator, ActuatorConfig, ArmReading, Chunk, Limits, Mode, OnViolation, Orientation, SafetyKind,
};

fn six(mode: ActionMode) -> ActionLayout {
    ActionLayout {
        dim: 6,
        arm: ArmColumns::Pose {
            position: [0, 1, 2],
            rotation: Some(RotationColumns {
                columns: vec![3, 4, 5],
                kind: RotationKind::RotationVector,
            }),
        },
        mode,
        ..ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0)
    }
}

fn seven(mode: ActionMode) -> ActionLayout {
    ActionLayout {
        dim: 7,
        arm: ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6]),
        mode,
        ..ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0)
    }
}

fn chunk(rig: &mut Rig, layout: ActionLayout, actions: Vec<f64>) -> Chunk {
    let execute_steps = actions.len() / layout.dim;
    let anchor = rig.actuator.status().anchor;
    rig.numbered(Chunk {
        seq: 0,
        stamp_ns: 0,
        anchor,
        layout,
        execute_steps,
        actions,
        continues: None,
    })
}

fn send(rig: &mut Rig, layout: ActionLayout, actions: Vec<f64>) {
    let chunk = chunk(rig, layout, actions);
    rig.actuator.accept(&chunk, rig.now_ns).unwrap();
}

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
fn joints_are_moved_into_their_limits_and_the_tool_stays_in_the_box() {
    let config = ActuatorConfig::default();
    // Joint 7 would turn beyond its limit.
    let mut rig = Rig::new(config);
    let turn = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.8].repeat(14);
    send(&mut rig, seven(ActionMode::JointVelocity), turn);
    rig.run(3000);
    let highest = config.limits.joint.position_max_rad[6] - config.limits.position_margin_rad;
    let q = rig.stream.last().unwrap().q_rad[6];
    assert!((highest - 1e-3..=highest).contains(&q), "{q}");
    assert_eq!(rig.kinds(), ["outside_joint_limits"]);
    // Joint 1 turns the tool out of the box.
    let mut rig = Rig::new(config);
    send(
        &mut rig,
        seven(ActionMode::JointVelocity),
        [1.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].repeat(12),
    );
    rig.run(3000);
    let wall = config.limits.workspace.bounds.min_m[0];
    let found = rig.tcp();
    assert!((wall - 1e-4..wall + 1e-4).contains(&found[0]), "{found:?}");
    assert_eq!(rig.kinds(), ["outside_workspace"]);
    // And is refused if so configured.
    let mut rig = Rig::new(ActuatorConfig {
        on_workspace: OnViolation::Refuse,
        ..config
    });
    let out = chunk(
        &mut rig,
        seven(ActionMode::JointVelocity),
        [1.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].repeat(12),
    );
    let refusal = rig.actuator.accept(&out, 0).unwrap_err();
    assert_eq!(refusal.kind, SafetyKind::OutsideWorkspace);
}

#[test]
fn steps_that_are_too_large_are_shortened_or_refused_with_their_numbers() {
    let limits = Limits::panda();
    let too_large = [
        (
            six(ActionMode::DeltaPose(Frame::Base)),
            vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.9],
            "turns (rad) up to 0.15",
        ),
        (
            seven(ActionMode::JointVelocity),
            vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0],
            "ways of joint 7 (rad) up to 0.18",
        ),
    ];
    for (layout, actions, text) in too_large {
        let refusing = ActuatorConfig {
            on_step: OnViolation::Refuse,
            ..ActuatorConfig::default()
        };
        let mut rig = Rig::new(refusing);
        let refused = chunk(&mut rig, layout.clone(), actions.clone());
        let refusal = rig.actuator.accept(&refused, 0).unwrap_err();
        assert_eq!(refusal.kind, SafetyKind::StepTooLarge);
        assert!(refusal.text.contains(text), "{}", refusal.text);

        let mut rig = Rig::new(ActuatorConfig::default());
        let start = rig.pose();
        send(&mut rig, layout, actions);
        rig.run(600);
        assert!(rig.pose().distance_to(&start).1 < 0.19);
        let events = rig.actuator.drain_events();
        assert_eq!(events.len(), 1);
        assert!(events[0].text.starts_with("chunk 1 clamped: ") && events[0].text.contains(text));
        assert!(usage(&limits, &rig.stream).is_within(&limits));
    }
}

#[test]
fn a_target_out_of_reach_of_one_step_is_approached_by_the_next() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.2]);
    let start = rig.pose();
    let turn = start.rotation().scaled_axis();
    let target = [0.5, 0.12, 0.2, turn.x, turn.y, turn.z];
    send(&mut rig, six(ActionMode::AbsolutePose), target.repeat(4));
    rig.run(1200);
    assert!(
        distance(rig.tcp(), [0.5, 0.12, 0.2]) < 1e-4,
        "{:?}",
        rig.tcp()
    );
    assert_eq!(rig.kinds(), ["step_too_large"]);
}

#[test]
fn an_anchor_turned_too_far_is_refused_or_drawn_in() {
    let far = |rig: &mut Rig| {
        let mut chunk = chunk(rig, six(ActionMode::DeltaPose(Frame::Base)), vec![0.0; 6]);
        let turned = UnitQuaternion::from_scaled_axis(Vector3::z() * 0.5) * chunk.anchor.rotation();
        chunk.anchor = Pose::from_parts(chunk.anchor.position(), &turned);
        chunk
    };
    let mut rig = Rig::new(ActuatorConfig::default());
    let chunk = far(&mut rig);
    let refusal = rig.actuator.accept(&chunk, 0).unwrap_err();
    assert_eq!(refusal.kind, SafetyKind::AnchorGap);
    assert!(refusal.text.contains("0.5000 rad away"), "{}", refusal.text);
    let mut rig = Rig::new(ActuatorConfig {
        on_anchor: OnViolation::Clamp,
        ..ActuatorConfig::default()
    });
    let start = rig.pose();
    let chunk = far(&mut rig);
    rig.actuator.accept(&chunk, 0).unwrap();
    rig.run(1500);
    let (_, turned) = rig.pose().distance_to(&start);
    assert!(
        (turned - Limits::panda().max_anchor_gap_rad).abs() < 1e-3,
        "{turned}"
    );
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

#[test]
fn what_is_no_chunk_for_a_hand_is_refused_by_name() {
    let refusal = |change: fn(&mut Chunk)| {
        let mut rig = Rig::new(ActuatorConfig::default());
        let mut chunk = chunk(&mut rig, six(ActionMode::AbsolutePose), vec![0.0; 6]);
        change(&mut chunk);
        let refusal = rig.actuator.accept(&chunk, 0).unwrap_err();
        (refusal.kind, refusal.text)
    };
    for (change, kind, text) in [
        (
            (|c| c.layout.dim = 7) as fn(&mut Chunk),
            SafetyKind::Malformed,
            "column 6",
        ),
        (
            |c| c.layout.clip = Some(-1.0),
            SafetyKind::Malformed,
            "clip",
        ),
        (
            |c| c.layout.mode = ActionMode::JointPosition,
            SafetyKind::Malformed,
            "mode",
        ),
        (
            |c| c.actions.push(0.0),
            SafetyKind::Malformed,
            "whole steps of 6",
        ),
        (
            |c| c.anchor.quaternion_wxyz = [0.0; 4],
            SafetyKind::Malformed,
            "unit quaternion",
        ),
        (
            |c| c.anchor.quaternion_wxyz[0] = f64::NAN,
            SafetyKind::NotFinite,
            "anchor",
        ),
        (
            |c| c.layout.position_m_per_unit = 0.0,
            SafetyKind::Malformed,
            "position_m_per_unit",
        ),
        (
            |c| {
                c.layout = ActionLayout {
                    dim: 7,
                    arm: ArmColumns::Pose {
                        position: [0, 1, 2],
                        rotation: Some(RotationColumns {
                            columns: vec![3, 4, 5, 6],
                            kind: RotationKind::QuaternionWxyz,
                        }),
                    },
                    ..c.layout.clone()
                };
                c.actions.push(0.0);
            },
            SafetyKind::Malformed,
            "spell a rotation",
        ),
    ] {
        let found = refusal(change);
        assert_eq!(found.0, kind, "{}", found.1);
        assert!(found.1.contains(text), "{}", found.1);
    }
}

#[test]
fn an_actuator_starts_with_the_hand_in_any_position() {
    let mut q = HOME_Q;
    q[5] = 3.4;
    let actuator =
        Actuator::new(ActuatorConfig::default(), &ArmReading::at_rest(q, 0.0), 0).unwrap();
    let (off_m, off_rad) = actuator.status().anchor.distance_to(&forward(&q));
    assert!(off_m < 1e-12 && off_rad < 1e-6);
    assert_eq!(actuator.status().anchor_q_rad, q);
}
