//! Chunks that were planned during the motion join the one under way without a gap or a jump.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{Rig, distance, row, usage};
use tiller_core::Continuation;
use tiller_motion::{ActuatorConfig, Chunk, Limits, Mode};

const START: [f64; 3] = [0.5, 0.0, 0.2];

/// Steps that turn slowly, as a policy's do.
fn curve(steps: usize) -> Vec<[f64; 3]> {
    (0..steps)
        .map(|step| {
            let angle = 0.3 * step as f64;
            [0.015 * angle.cos(), 0.015 * angle.sin(), -0.004]
        })
        .collect()
}

/// The chunk with steps `from..` of the curve that carries chunk `seq` on from its step `step`.
fn carrying_on(
    rig: &mut Rig,
    seq: u64,
    step: u32,
    frozen_steps: u32,
    deltas: &[[f64; 3]],
) -> Chunk {
    let mut chunk = rig.chunk(deltas);
    chunk.execute_steps = deltas.len().min(8);
    chunk.continues = Some(Continuation {
        seq,
        step,
        frozen_steps,
    });
    chunk
}

fn accept(rig: &mut Rig, chunk: &Chunk) {
    rig.actuator.accept(chunk, rig.now_ns).unwrap();
}

#[test]
fn a_plan_that_agrees_moves_as_if_there_were_no_seam() {
    let all = curve(20);
    let mut whole = Rig::over(ActuatorConfig::default(), START);
    whole.send(&all).unwrap();
    whole.run(2200);

    let mut joined = Rig::over(ActuatorConfig::default(), START);
    let mut first = joined.chunk(&all[..16]);
    first.execute_steps = 8;
    accept(&mut joined, &first);
    // Each chunk comes while its two frozen steps are executed, at another moment of a step.
    let (mut seq, mut ticks) = (1, 0);
    for (begins, comes) in [(6, 650), (12, 1399)] {
        joined.run(comes - ticks);
        ticks = comes;
        let rest = all[begins..].to_vec();
        let next = carrying_on(&mut joined, seq, 6, 2, &rest);
        accept(&mut joined, &next);
        assert!(joined.kinds().is_empty());
        assert_eq!(
            joined.actuator.status().chunk_step,
            (comes / 100 - begins) as u32
        );
        seq += 1;
    }
    joined.run(2200 - ticks);
    assert_eq!(joined.stream.len(), whole.stream.len());
    for (a, b) in joined.stream.iter().zip(&whole.stream) {
        for joint in 0..7 {
            assert!((a.q_rad[joint] - b.q_rad[joint]).abs() < 1e-9);
        }
    }
}

#[test]
fn a_plan_that_turns_after_its_frozen_steps_keeps_the_limits_and_never_stops() {
    let mut rig = Rig::over(ActuatorConfig::default(), START);
    let mut first = rig.chunk(&[[0.012, 0.0, 0.0]; 16]);
    first.execute_steps = 8;
    accept(&mut rig, &first);
    rig.run(700);
    let mut deltas = vec![[0.012, 0.0, 0.0]; 2];
    deltas.extend([[0.0, 0.012, 0.0]; 6]);
    let next = carrying_on(&mut rig, 1, 6, 2, &deltas);
    accept(&mut rig, &next);
    rig.run(900);
    let slowest = rig.speeds()[300..1200]
        .iter()
        .fold(f64::INFINITY, |least, &speed| least.min(speed));
    // A right angle over the 120 ms of smoothing: never slower than its chord.
    assert!(slowest > 0.12 * 0.65, "{slowest}");
    let used = usage(&Limits::panda(), &rig.stream);
    assert!(
        used.velocity <= 1.0 && used.acceleration <= 1.0 && used.jerk <= 1.0,
        "{used:?}"
    );
    let end = [START[0] + 0.096, START[1] + 0.072, START[2]];
    assert!(distance(rig.tcp(), end) < 1e-3, "{:?}", rig.tcp());
}

#[test]
fn where_a_step_begins_is_told_as_it_is_executed() {
    let mut rig = Rig::over(ActuatorConfig::default(), START);
    let most_m = ActuatorConfig::default().limits.max_step_m;
    let chunk = rig.chunk(&[[0.1, 0.0, 0.0], [0.0, 0.01, 0.0], [0.0, 0.1, 0.0]]);
    accept(&mut rig, &chunk);
    assert_eq!(rig.kinds(), ["step_too_large"]);
    let begins = [
        START,
        [START[0] + most_m, START[1], START[2]],
        [START[0] + most_m, START[1] + 0.01, START[2]],
        [START[0] + most_m, START[1] + 0.01 + most_m, START[2]],
    ];
    while rig.actuator.status().mode != Mode::Holding {
        rig.tick();
        let status = rig.actuator.status();
        let told = status.step_start.position_m;
        let expected = begins[status.chunk_step as usize];
        assert!(distance(told, expected) < 1e-9, "{told:?} {expected:?}");
    }
    rig.actuator.stop("a test", rig.now_ns);
    let status = rig.actuator.status();
    assert_eq!(status.step_start, status.anchor, "nothing is carried on");
}

#[test]
fn an_arm_with_a_share_of_its_speed_takes_longer_and_keeps_the_path() {
    let mut config = ActuatorConfig::default();
    config.limits.operating.velocity = 0.1;
    config.limits.operating.acceleration = 0.2;
    let mut rig = Rig::over(config, START);
    let steps: Vec<_> = (0..8)
        .map(|step| [0.0, [0.05, -0.02][step / 4], 0.0])
        .collect();
    rig.send(&steps).unwrap();
    let mut ticks = 0;
    while rig.actuator.status().mode != Mode::Holding {
        rig.tick();
        ticks += 1;
    }
    rig.run(500);
    assert!(rig.kinds().is_empty());
    assert!(ticks > 1600, "0.28 m at 0.17 m/s in {ticks} ms");
    let furthest = rig
        .path()
        .iter()
        .fold(0.0, |most: f64, place| most.max(place[1]));
    assert!((furthest - 0.2).abs() < 5e-3, "{furthest}");
    assert!(distance(rig.tcp(), [START[0], START[1] + 0.12, START[2]]) < 1e-3);
}

#[test]
fn a_late_chunk_leaves_out_what_it_missed() {
    let mut rig = Rig::over(ActuatorConfig::default(), START);
    let mut first = rig.chunk(&[[0.01, 0.0, 0.0]; 16]);
    first.execute_steps = 8;
    accept(&mut rig, &first);
    let next = carrying_on(&mut rig, 1, 6, 1, &[[0.0, 0.01, 0.0]; 8]);
    // Step 7 has begun: the chunk's own steps 1 and 2 (the old 7 and 8) are late by one.
    rig.run(750);
    accept(&mut rig, &next);
    assert_eq!(rig.kinds(), ["joined_late"]);
    rig.run(1000);
    assert!(distance(rig.tcp(), [START[0] + 0.08, START[1] + 0.06, START[2]]) < 1e-3);
}

#[test]
fn a_chunk_for_a_path_that_is_over_goes_on_from_where_the_arm_rests() {
    let mut rig = Rig::over(ActuatorConfig::default(), START);
    let mut first = rig.chunk(&[[0.01, 0.0, 0.0]; 16]);
    first.execute_steps = 8;
    accept(&mut rig, &first);
    let next = carrying_on(&mut rig, 1, 6, 2, &[[0.0, 0.01, 0.0]; 8]);
    rig.run(950);
    assert_eq!(rig.actuator.status().mode, Mode::Holding);
    accept(&mut rig, &next);
    assert_eq!(rig.actuator.status().mode, Mode::Executing);
    rig.run(900);
    assert_eq!(rig.actuator.status().chunk_step, 8);
    assert!(distance(rig.tcp(), [START[0] + 0.08, START[1] + 0.06, START[2]]) < 1e-3);
    let used = usage(&Limits::panda(), &rig.stream);
    assert!(used.acceleration <= 1.0 && used.jerk <= 1.0, "{used:?}");
}

#[test]
fn a_chunk_for_another_path_is_refused_and_the_motion_goes_on() {
    let mut rig = Rig::over(ActuatorConfig::default(), START);
    rig.send(&[[0.01, 0.0, 0.0]; 8]).unwrap();
    rig.run(300);
    let stray = carrying_on(&mut rig, 7, 2, 2, &[[0.0, 0.01, 0.0]; 8]);
    assert!(rig.actuator.accept(&stray, rig.now_ns).is_err());
    assert_eq!(rig.kinds(), ["not_continuing"]);
    rig.run(800);
    assert!(distance(rig.tcp(), [START[0] + 0.08, START[1], START[2]]) < 1e-3);
}

#[test]
fn the_gripper_follows_the_plan_across_the_seam() {
    let mut rig = Rig::over(ActuatorConfig::default(), START);
    let mut first = rig.chunk(&[[0.0; 3]; 16]);
    first.execute_steps = 8;
    accept(&mut rig, &first);
    rig.run(650);
    let mut next = carrying_on(&mut rig, 1, 6, 2, &[[0.0; 3]; 8]);
    // What the frozen steps say is the old chunk's business.
    for (step, gripper) in [(0, -1.0), (1, -1.0), (4, -1.0)] {
        row(&mut next, step)[3] = gripper;
    }
    accept(&mut rig, &next);
    rig.run(340);
    assert_eq!(rig.stream.last().unwrap().gripper_width_m, 0.08);
    rig.run(100);
    assert_eq!(rig.stream.last().unwrap().gripper_width_m, 0.0);
}
