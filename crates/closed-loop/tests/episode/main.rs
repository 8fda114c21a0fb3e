//! The three machines in one process, with a policy that wanders: what it achieves is the work of
//! steering, and what happens in time is the work of the loop.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../common/mod.rs"]
mod common;
mod rig;

use common::{KEYPOINTS, PROGRAM};
use rig::{PERIOD_NS, Rig, Variant, is_same};
use tiller_closed_loop::Ahead;
use tiller_core::kinematics::HOME_Q;
use tiller_core::{
    ActionLayout, ActionMode, ArmColumns, Frame, RotationColumns, RotationKind, SECOND_NS,
};
use tiller_steering::ActionSpace;

/// Reaches the first keypoint, then the second.
const THERE_AND_BACK: &str = "num_stages = 2
# Stage 1: to the first
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.03 - torch.norm(end_effector - keypoints[0])
# Stage 2: to the second
def stage2_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[1], dim=-1).mean()
def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.03 - torch.norm(end_effector - keypoints[1])
";

const PLACES: [[f64; 3]; 2] = [[0.5, 0.15, 0.3], [0.55, -0.15, 0.35]];

/// Never done: the reward only says where to.
const FOR_EVER: &str = "num_stages = 1
# Stage 1: hover
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
def stage1_done(keypoints, start_keypoints, end_effector):
    return -1.0 - torch.norm(end_effector - keypoints[0])
";

const MS: u64 = 1_000_000;

fn is_over(rig: &Rig) -> bool {
    rig.heard.stages.last().is_some_and(|stage| stage.is_over())
}

#[test]
fn an_episode_reaches_its_goals_however_long_planning_takes() {
    for planning_ms in [0, 60, 250, 1_000] {
        let what = format!("planning in {planning_ms} ms");
        let mut rig = Rig::new(Variant {
            planning_ns: planning_ms * MS,
            ..Variant::default()
        });
        rig.begin(THERE_AND_BACK, &PLACES);
        assert!(rig.run(40.0, is_over), "{what}: {:?}", rig.heard.stages);
        let last = rig.heard.stages.last().unwrap();
        assert!(last.finished, "{what}: {:?}", rig.heard.stages);
        let apart = |place: [f64; 3], tool: [f64; 3]| {
            (0..3)
                .map(|i| (place[i] - tool[i]).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        assert!(apart(PLACES[1], rig.tool_m()) < 0.05, "{what}");
        rig.check_clean(&what);
        // Then the arm comes to rest.
        rig.run(3.0, |_| false);
        let before = rig.q_rad;
        rig.run(1.0, |_| false);
        for (now, before) in rig.q_rad.iter().zip(before) {
            assert!((now - before).abs() < 1e-9, "{what}");
        }
    }
}

#[test]
fn quick_plans_join_in_motion_and_slow_ones_are_made_at_rest() {
    let joined = |planning_ms: u64| {
        let mut rig = Rig::new(Variant {
            planning_ns: planning_ms * MS,
            ..Variant::default()
        });
        rig.begin(FOR_EVER, &PLACES);
        rig.run(10.0, |_| false);
        rig.check_clean(&format!("{planning_ms} ms"));
        let plans = &rig.heard.plans;
        let carried_on = plans.iter().filter(|plan| plan.carry_on.is_some()).count();
        let rested_ns = rig.heard.rested.len() as u64 * PERIOD_NS;
        (plans.len(), carried_on, rested_ns)
    };
    let (plans, carried_on, rested_ns) = joined(60);
    assert_eq!(carried_on, plans - 1, "all but the first");
    assert!(rested_ns < SECOND_NS / 2, "at rest for {rested_ns} ns");
    // Planning takes longer than the eight steps of a chunk.
    let (plans, carried_on, rested_ns) = joined(1_000);
    assert!(plans >= 4, "{plans}");
    assert!(carried_on <= 1, "{carried_on} before it was measured");
    assert!(rested_ns > 4 * SECOND_NS, "at rest for {rested_ns} ns");
}

#[test]
fn while_a_slow_plan_is_made_progress_is_sent_and_stages_are_followed() {
    let mut rig = Rig::new(Variant {
        planning_ns: SECOND_NS,
        ..Variant::default()
    });
    rig.begin(PROGRAM, &KEYPOINTS);
    rig.run(0.1, |_| false);
    assert_eq!(rig.heard.plans.len(), 1, "the first is being made");
    let before = rig.heard.progress.len();
    rig.run(0.6, |_| false);
    assert_eq!(rig.heard.plans.len(), 1);
    assert_eq!(rig.heard.progress.len() - before, 6, "one for every look");
    // The handle comes to the tool: the first stage is done before anything was planned.
    rig.keypoints[0] = rig.tool_m();
    rig.run(0.2, |_| false);
    let stage = rig.heard.stages.last().unwrap();
    assert_eq!((stage.stage, stage.visit), (2, 2), "{stage:?}");
    assert_eq!(rig.heard.plans.len(), 2, "another is asked for at once");
    assert_eq!(rig.heard.plans[1].visit.stage, 2);
    // The plan for the stage before comes and is void; the arm waits for the other.
    let held = rig.q_rad;
    rig.run(0.5, |_| false);
    assert_eq!(rig.q_rad, held);
    rig.run(1.5, |_| false);
    assert_ne!(rig.q_rad, held);
    rig.check_clean("two stages");
}

#[test]
fn another_stage_in_motion_is_planned_for_at_once_and_joins() {
    let mut rig = Rig::new(Variant::default());
    rig.begin(THERE_AND_BACK, &PLACES);
    let second = |rig: &Rig| {
        rig.heard
            .stages
            .last()
            .is_some_and(|stage| stage.stage == 2)
    };
    assert!(rig.run(30.0, second), "{:?}", rig.heard.stages);
    let plan = rig.heard.plans.last().unwrap();
    assert_eq!(plan.visit.stage, 2, "in the very period of the decision");
    let carry_on = plan.carry_on.as_ref().unwrap();
    assert!(!carry_on.same_goal, "what was under way leads elsewhere");
    rig.run(1.0, |_| false);
    rig.check_clean("the change");
}

/// Every manifest that a policy may come with runs, and no chunk of it is refused.
#[test]
fn every_variant_runs_for_ten_seconds_without_a_refused_chunk() {
    let base = Variant::default();
    let mut variants = Vec::new();
    for execute_start in [0, 1, 2] {
        for execute_steps in [1, 2, 8, 14] {
            variants.push(Variant {
                execute_start,
                execute_steps,
                ..base
            });
        }
    }
    for rate_hz in [5.0, 10.0, 15.0, 20.0, 50.0] {
        for execute_steps in [1, 8] {
            for planning_ns in [0, 60 * MS, SECOND_NS] {
                variants.push(Variant {
                    rate_hz,
                    execute_steps,
                    planning_ns,
                    execute_start: 1,
                    ..base
                });
            }
        }
    }
    for (horizon, execute_start, execute_steps) in [
        (1, 0, 1),
        (2, 1, 1),
        (4, 0, 4),
        (8, 1, 7),
        (32, 0, 8),
        (50, 1, 25),
        (100, 0, 64),
    ] {
        variants.push(Variant {
            horizon,
            execute_start,
            execute_steps,
            ..base
        });
    }
    for steps in [0, 1, 8, 16] {
        for execute_steps in [1, 8] {
            variants.push(Variant {
                ahead: Ahead::Steps(steps),
                execute_steps,
                ..base
            });
        }
    }
    for observation_steps in [2, 3] {
        variants.push(Variant {
            observation_steps,
            execute_start: observation_steps - 1,
            ..base
        });
    }
    for variant in variants {
        let what = format!("{variant:?}");
        let mut rig = Rig::new(variant);
        rig.begin(FOR_EVER, &PLACES);
        rig.run(10.0, |_| false);
        rig.check_clean(&what);
        let chunk_ns = (variant.execute_steps as f64 / variant.rate_hz * 1e9) as u64;
        // A look, its plan, the way there, and the chunk: at least that often there is a plan.
        let turn_ns = 200 * MS + variant.planning_ns + chunk_ns + 200 * MS;
        let plans = rig.heard.plans.len() as u64;
        assert!(plans >= 10 * SECOND_NS / turn_ns, "{what}: {plans} plans");
        let way: f64 = (0..3)
            .map(|i| (rig.tool_m()[i] - PLACES[0][i]).powi(2))
            .sum();
        assert!(way.sqrt() < 0.3, "{what}: {} m away", way.sqrt());
        if variant.observation_steps > 1 {
            let seen = rig.heard.observed;
            assert!((95..=100).contains(&seen), "{what}: {seen} of 100 looks");
        } else {
            assert_eq!(rig.heard.observed, 0, "{what}");
        }
    }
}

/// An action space around the tool's displacements, poses or joints, by its mode.
fn space_of(mode: ActionMode, rotation: Option<RotationKind>) -> ActionSpace {
    let width = rotation.map_or(0, RotationKind::width);
    let (arm, centre, reach): (_, Vec<f32>, Vec<f32>) = if mode.is_joints() {
        let (centre, reach) = match mode {
            ActionMode::JointPosition => (HOME_Q.map(|q| q as f32), 0.15),
            _ => ([0.0; 7], 0.15),
        };
        let columns = [0, 1, 2, 3, 4, 5, 6];
        (ArmColumns::Joints(columns), centre.to_vec(), vec![reach; 7])
    } else {
        let rotation = rotation.map(|kind| RotationColumns {
            columns: (3..3 + width).collect(),
            kind,
        });
        let position = [0, 1, 2];
        let is_absolute = mode == ActionMode::AbsolutePose;
        let place = if is_absolute {
            [0.55, 0.0, 0.35]
        } else {
            [0.0; 3]
        };
        // Straight down, and no turn.
        let turn: &[f32] = match (rotation.as_ref().map(|r| r.kind), is_absolute) {
            (Some(RotationKind::QuaternionWxyz), true) => &[0.0, 1.0, 0.0, 0.0],
            (Some(RotationKind::Matrix6d), true) => &[1.0, 0.0, 0.0, 0.0, -1.0, 0.0],
            (Some(RotationKind::QuaternionWxyz), false) => &[1.0, 0.0, 0.0, 0.0],
            (Some(RotationKind::Matrix6d), false) => &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            _ => &[0.0; 6][..width],
        };
        let mut reach = vec![if is_absolute { 0.1 } else { 0.03 }; 3];
        reach.resize(3 + width, 0.05);
        let arm = ArmColumns::Pose { position, rotation };
        (arm, [&place, turn].concat(), reach)
    };
    let layout = ActionLayout {
        dim: centre.len(),
        arm,
        mode,
        gripper: None,
        ..ActionLayout::default()
    };
    let bound = |sign: f32| -> Vec<f32> {
        let pairs = centre.iter().zip(&reach);
        pairs.map(|(centre, reach)| centre + sign * reach).collect()
    };
    ActionSpace::from_min_max(layout, &bound(-1.0), &bound(1.0))
}

#[test]
fn actions_of_every_kind_run_for_ten_seconds_without_a_refused_chunk() {
    let delta = ActionMode::DeltaPose(Frame::Base);
    for (mode, rotation) in [
        (delta, None),
        (delta, Some(RotationKind::RotationVector)),
        (delta, Some(RotationKind::EulerXyz)),
        (delta, Some(RotationKind::Matrix6d)),
        (
            ActionMode::DeltaPose(Frame::Tool),
            Some(RotationKind::QuaternionWxyz),
        ),
        (ActionMode::AbsolutePose, None),
        (ActionMode::AbsolutePose, Some(RotationKind::QuaternionWxyz)),
        (ActionMode::AbsolutePose, Some(RotationKind::Matrix6d)),
        (ActionMode::JointPosition, None),
        (ActionMode::JointVelocity, None),
    ] {
        for planning_ns in [60 * MS, SECOND_NS] {
            let what = format!("{}, {rotation:?}, {planning_ns} ns", mode.as_str());
            let variant = Variant {
                planning_ns,
                ..Variant::default()
            };
            let mut rig = Rig::with_space(variant, space_of(mode, rotation));
            let start = rig.q_rad;
            rig.begin(FOR_EVER, &PLACES);
            rig.run(10.0, |_| false);
            rig.check_clean(&what);
            assert!(rig.heard.plans.len() >= 4, "{what}");
            assert_ne!(rig.q_rad, start, "{what}");
            let reached = rig.heard.progress.iter().map(|p| p.achieved);
            let best = reached.fold(f64::NEG_INFINITY, f64::max);
            assert!(best > 0.2, "{what}: {best}");
        }
    }
}

#[test]
fn the_same_inputs_give_the_same_effects_to_the_bit() {
    let run = |planning_ms: u64, keypoint: f64| {
        let mut rig = Rig::new(Variant {
            planning_ns: planning_ms * MS,
            ..Variant::default()
        });
        let mut places = PLACES;
        places[0][1] += keypoint;
        rig.begin(THERE_AND_BACK, &places);
        rig.run(8.0, |_| false);
        rig.heard
    };
    for planning_ms in [0, 60, 1_000] {
        assert!(is_same(&run(planning_ms, 0.0), &run(planning_ms, 0.0)));
    }
    assert!(
        !is_same(&run(60, 0.0), &run(60, 1e-6)),
        "a test that can fail"
    );
}
