//! What of poses and joints is clamped or refused, and that it says so with its numbers.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Rig, chunk, distance, send, seven, six, usage};
use nalgebra::{UnitQuaternion, Vector3};
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Frame, Pose, RotationColumns, RotationKind,
};
use tiller_motion::kinematics::{HOME_Q, forward};
use tiller_motion::{Actuator, ActuatorConfig, ArmReading, Chunk, Limits, OnViolation, SafetyKind};

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
            "a turn in a step of at most 0.2 rad",
        ),
        (
            seven(ActionMode::JointVelocity),
            vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0],
            "a way of joint 7 in a step of at most 0.23",
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
        assert!(rig.pose().distance_to(&start).1 < 0.24);
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
    assert!(refusal.text.contains("found 0.5 rad"), "{}", refusal.text);
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
            "a quaternion of norm",
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
