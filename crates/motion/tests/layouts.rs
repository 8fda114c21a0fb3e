//! Chunks of every layout, good and absurd, keep every limit: joined, stopped, with readings lost.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{MS, Rig, usage};
use nalgebra::{UnitQuaternion, Vector3};
use proptest::prelude::*;
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Continuation, GripperColumn, RotationColumns,
    RotationKind,
};
use tiller_motion::{
    ActuatorConfig, ArmReading, Chunk, Limits, Mode, OnViolation, Orientation, Resume,
};

/// What happens to the readings meanwhile.
#[derive(Debug, Clone, Copy)]
enum Readings {
    Good,
    /// So many of 20 are missing or bad.
    Flawed(usize),
    /// All of them are lost.
    Lost,
}

#[derive(Debug, Clone)]
struct Attack {
    mode: ActionMode,
    rotation: Option<RotationKind>,
    gripper: bool,
    /// From -1 to 1, what they mean depends on the layout.
    steps: Vec<[f64; 8]>,
    /// Whether rotations are spelled by numbers at random.
    garbled: bool,
    absurd: Option<f64>,
    rate_hz: f64,
    wait_ticks: usize,
    stop: bool,
    readings: Readings,
    continues: Option<(u32, u32)>,
}

prop_compose! {
    fn attack()(
        mode in prop::sample::select(ActionMode::ALL.to_vec()),
        rotation in prop::option::weighted(0.8, prop::sample::select(RotationKind::ALL.to_vec())),
        gripper in any::<bool>(),
        steps in prop::collection::vec(prop::array::uniform8(-1.0..1.0f64), 1..9),
        garbled in prop::bool::weighted(0.1),
        absurd in prop::option::weighted(0.08, prop::sample::select(vec![
            f64::NAN, f64::INFINITY, 1e300, -f64::MAX, 40.0,
        ])),
        rate_hz in prop_oneof![6 => Just(10.0), 2 => Just(15.0), 1 => 1.0..100.0f64],
        wait_ticks in 1usize..700,
        stop in prop::bool::weighted(0.06),
        readings in prop_oneof![
            20 => Just(Readings::Good),
            4 => (1usize..19).prop_map(Readings::Flawed),
            1 => Just(Readings::Lost),
        ],
        continues in prop::option::of((0u32..9, 0u32..9)),
    ) -> Attack {
        Attack {
            mode, rotation, gripper, steps, garbled, absurd, rate_hz, wait_ticks, stop, readings,
            continues,
        }
    }
}

fn layout(attack: &Attack) -> ActionLayout {
    let arm = if attack.mode.is_joints() {
        ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6])
    } else {
        ArmColumns::Pose {
            position: [0, 1, 2],
            rotation: attack.rotation.map(|kind| RotationColumns {
                columns: (3..3 + kind.width()).collect(),
                kind,
            }),
        }
    };
    let mut layout = ActionLayout {
        arm,
        mode: attack.mode,
        ..ActionLayout::position_deltas(0, [0, 1, 2], None, attack.rate_hz)
    };
    layout.dim = layout.arm_columns().len();
    if attack.gripper {
        layout.gripper = Some(GripperColumn {
            column: layout.dim,
            open: 0.0,
            closed: 1.0,
        });
        layout.dim += 1;
    }
    layout
}

fn chunk(rig: &mut Rig, attack: &Attack) -> Chunk {
    let status = rig.actuator.status();
    let layout = layout(attack);
    let (mut position, mut rotation) = (status.anchor.position(), status.anchor.rotation());
    let mut q = status.anchor_q_rad;
    let mut actions = Vec::new();
    for step in &attack.steps {
        let displacement = Vector3::new(step[0], step[1], step[2]) * 0.05;
        let turn = UnitQuaternion::from_scaled_axis(Vector3::new(step[3], step[4], step[5]) * 0.2);
        position += displacement;
        rotation = turn * rotation;
        for joint in 0..7 {
            q[joint] += 0.2 * step[joint];
        }
        let mut row = Vec::new();
        match attack.mode {
            ActionMode::DeltaPose(_) => row.extend(displacement.iter()),
            ActionMode::AbsolutePose => row.extend(position.iter()),
            ActionMode::JointPosition => row.extend(q),
            ActionMode::JointVelocity => row.extend(step[..7].iter().map(|v| 2.5 * v)),
        }
        if let ArmColumns::Pose {
            rotation: Some(columns),
            ..
        } = &layout.arm
        {
            let spelled = match attack.mode {
                ActionMode::DeltaPose(_) => turn,
                _ => rotation,
            };
            let mut numbers = [0.0; 6];
            columns
                .kind
                .spell(spelled.to_rotation_matrix().matrix(), &mut numbers);
            if attack.garbled {
                numbers.copy_from_slice(&step[..6]);
            }
            row.extend(&numbers[..columns.kind.width()]);
        }
        if attack.gripper {
            row.push(0.5 + 0.7 * step[7]);
        }
        actions.extend(row);
    }
    if let Some(value) = attack.absurd {
        let at = actions.len() / 2;
        actions[at] = value;
    }
    let continues = attack.continues.map(|(step, frozen_steps)| Continuation {
        seq: status.chunk_seq,
        step,
        frozen_steps,
    });
    rig.numbered(Chunk {
        seq: 0,
        stamp_ns: 0,
        anchor: status.anchor,
        execute_steps: attack.steps.len(),
        layout,
        actions,
        continues,
    })
}

fn run(rig: &mut Rig, ticks: usize, readings: Readings) {
    let mut absurd = rig.reading;
    absurd.q_rad[1] = f64::NAN;
    for tick in 0..ticks {
        let flawed = match readings {
            Readings::Good => false,
            Readings::Flawed(share) => tick % 20 < share,
            Readings::Lost => true,
        };
        if !flawed {
            rig.tick();
            continue;
        }
        rig.now_ns += MS;
        let setpoint = if tick % 2 == 0 {
            rig.actuator.tick_without_reading(rig.now_ns)
        } else {
            rig.actuator.tick(&absurd, rig.now_ns)
        };
        rig.stream.push(setpoint);
        rig.reading = ArmReading::at_rest(setpoint.q_rad, setpoint.gripper_width_m);
    }
}

fn endure(config: ActuatorConfig, attacks: &[Attack]) -> Result<(), TestCaseError> {
    let mut rig = Rig::new(config);
    for attack in attacks {
        let chunk = chunk(&mut rig, attack);
        let accepted = rig.actuator.accept(&chunk, rig.now_ns);
        if attack.absurd.is_some_and(|value| !value.is_finite()) {
            prop_assert!(accepted.is_err());
        }
        run(&mut rig, attack.wait_ticks, attack.readings);
        if attack.stop {
            rig.actuator.stop("test", rig.now_ns);
        }
        if matches!(rig.actuator.status().mode, Mode::Stopping | Mode::Stopped) {
            rig.run(400);
            if rig.actuator.status().mode == Mode::Stopped {
                rig.actuator.resume(rig.now_ns).unwrap();
            }
        }
        prop_assert_ne!(rig.actuator.status().mode, Mode::Stopping);
    }
    let mut left = 20;
    while rig.actuator.status().mode == Mode::Executing && left > 0 {
        rig.run(500);
        left -= 1;
    }
    rig.run(800);
    let speed = *rig.speeds().last().unwrap();
    prop_assert!(speed < 1e-3, "{speed}");
    let used = usage(&config.limits, &rig.stream);
    prop_assert!(used.is_within(&config.limits), "{used:?}");
    let bounds = config.limits.workspace.bounds;
    for point in rig.path() {
        // Between two of its waypoints a path in joints bends outwards.
        let outside = common::distance(point, bounds.clamp(point));
        prop_assert!(outside < 0.02, "{point:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_chunks_breaks_a_limit(
        attacks in prop::collection::vec(attack(), 1..14),
        one_layout in any::<bool>(),
        fr3 in any::<bool>(),
        hold in any::<bool>(),
        automatic in any::<bool>(),
        clamp_anchor in any::<bool>(),
    ) {
        let mut attacks = attacks;
        if one_layout {
            // As a policy would: then chunks carry each other on.
            let first = attacks[0].clone();
            for attack in &mut attacks {
                (attack.mode, attack.rotation) = (first.mode, first.rotation);
                (attack.gripper, attack.rate_hz) = (first.gripper, first.rate_hz);
            }
        }
        let config = ActuatorConfig {
            limits: if fr3 { Limits::fr3() } else { Limits::panda() },
            orientation: if hold { Orientation::Hold } else { Orientation::StraightDown },
            resume: if automatic { Resume::Automatic { after_ns: 100 * MS } } else { Resume::Manual },
            on_anchor: if clamp_anchor { OnViolation::Clamp } else { OnViolation::Refuse },
            ..ActuatorConfig::default()
        };
        endure(config, &attacks)?;
    }
}

#[test]
fn every_layout_moves_the_arm() {
    let step = [0.3, -0.3, 0.2, 0.1, 0.2, -0.3, 0.1, 0.7];
    for mode in ActionMode::ALL {
        for rotation in RotationKind::ALL.map(Some).into_iter().chain([None]) {
            let attack = Attack {
                mode,
                rotation,
                gripper: true,
                steps: vec![step; 4],
                garbled: false,
                absurd: None,
                rate_hz: 10.0,
                wait_ticks: 0,
                stop: false,
                readings: Readings::Good,
                continues: None,
            };
            let mut rig = Rig::new(ActuatorConfig::default());
            let start = rig.pose();
            let chunk = chunk(&mut rig, &attack);
            rig.actuator.accept(&chunk, 0).unwrap();
            rig.run(1200);
            let (moved_m, turned_rad) = rig.pose().distance_to(&start);
            assert!(moved_m > 0.03, "{mode:?} {rotation:?}: {moved_m}");
            let turns = mode.is_joints() || rotation.is_some();
            assert_eq!(
                turned_rad > 0.05,
                turns,
                "{mode:?} {rotation:?}: {turned_rad}"
            );
            // 1 is closed here.
            assert_eq!(rig.stream.last().unwrap().gripper_width_m, 0.0);
            assert!(rig.kinds().is_empty(), "{mode:?} {rotation:?}");
        }
    }
}
