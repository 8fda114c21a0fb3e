//! Chunks become the motion that they describe: on the waypoints, on time, without a jump.

mod common;

use common::{MS, PERIOD_S, Rig, distance, row, usage};
use tiller_motion::{ActuatorConfig, ArmReading, LAG_S, Limits, Mode, SETTLE_S, SafetyKind};

const STARTS: [[f64; 3]; 5] = [
    [0.45, 0.0, 0.2],
    [0.5, 0.0, 0.02],
    [0.6, 0.2, 0.1],
    [0.4, -0.3, 0.05],
    [0.6, 0.0, -0.1],
];

fn end_of(start: [f64; 3], step: [f64; 3], steps: usize) -> [f64; 3] {
    std::array::from_fn(|axis| start[axis] + step[axis] * steps as f64)
}

#[test]
fn a_chunk_ends_on_its_last_waypoint_and_stays_there() {
    for start in STARTS {
        for step in [
            [0.01, 0.0, 0.0],
            [0.0, -0.015, 0.0],
            [0.0, 0.0, 0.01],
            [-0.006, 0.01, 0.006],
        ] {
            let mut rig = Rig::over(ActuatorConfig::default(), start);
            let end = end_of(rig.anchor(), step, 8);
            rig.send(&[step; 8]).unwrap();
            rig.run(799);
            assert_eq!(rig.actuator.status().mode, Mode::Executing);
            assert_eq!(rig.actuator.status().chunk_step, 7);
            rig.run(1);
            assert_eq!(
                rig.actuator.status().mode,
                Mode::Holding,
                "{start:?} {step:?}"
            );
            assert_eq!(rig.actuator.status().chunk_step, 8);
            assert!(distance(rig.anchor(), end) < 1e-9);
            rig.run(75);
            assert!(
                distance(rig.tcp(), end) < 2e-3,
                "{start:?} {step:?} {:?}",
                rig.tcp()
            );
            rig.run(45);
            assert!(
                distance(rig.tcp(), end) < 5e-4,
                "{start:?} {step:?} {:?}",
                rig.tcp()
            );
            rig.run(1000);
            assert!(
                distance(rig.tcp(), end) < 1e-5,
                "{start:?} {step:?} {:?}",
                rig.tcp()
            );
            assert!(*rig.speeds().last().unwrap() < 1e-6);
            assert!(rig.kinds().is_empty());
        }
    }
}

#[test]
fn the_path_is_straight_and_the_gripper_stays_down() {
    for start in STARTS {
        for step in [
            [0.03, 0.0, 0.0],
            [0.0, 0.03, 0.0],
            [0.0, 0.0, 0.03],
            [-0.02, 0.02, 0.03],
        ] {
            let mut rig = Rig::over(ActuatorConfig::default(), start);
            let length = distance(step, [0.0; 3]);
            rig.send(&[step; 3]).unwrap();
            rig.run(1200);
            for point in rig.path() {
                let from: [f64; 3] = std::array::from_fn(|axis| point[axis] - start[axis]);
                let along: f64 = (0..3).map(|axis| from[axis] * step[axis] / length).sum();
                let aside = (distance(from, [0.0; 3]).powi(2) - along * along)
                    .max(0.0)
                    .sqrt();
                assert!(aside < 1e-3, "{start:?} {step:?} {aside}");
            }
            let last = rig.stream.last().unwrap();
            let pose = tiller_motion::kinematics::forward(&last.q_rad);
            assert!(pose.quaternion_wxyz[1].abs() > 0.999_99, "{pose:?}");
        }
    }
}

#[test]
fn the_setpoints_lag_the_schedule_by_the_stated_time() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, -0.1, 0.1]);
    rig.send(&[[0.0, 0.02, 0.0]; 8]).unwrap();
    rig.run(500);
    let lag_s = (rig.anchor()[1] - rig.tcp()[1]) / 0.2;
    assert!((lag_s - LAG_S).abs() < 2e-3, "{lag_s}");
    const { assert!(LAG_S < 0.1 && SETTLE_S < 0.12) };
}

#[test]
fn one_step_chunks_every_100_ms_move_without_stop_and_go() {
    for jitter in [[100, 100], [92, 108]] {
        let mut rig = Rig::over(ActuatorConfig::default(), [0.45, -0.1, 0.1]);
        for index in 0..14 {
            rig.send(&[[0.005, 0.015, -0.005]]).unwrap();
            rig.run(jitter[index % 2]);
        }
        let expected = distance([0.05, 0.15, -0.05], [0.0; 3]);
        for (tick, speed) in rig.speeds()[200..1300].iter().enumerate() {
            let share = speed / expected;
            let least = if jitter[0] == 100 { 0.97 } else { 0.85 };
            assert!((least..1.03).contains(&share), "tick {tick}: {share}");
        }
        assert!(rig.kinds().is_empty());
    }
}

#[test]
fn chunks_back_to_back_join_without_a_jump() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, -0.1, 0.1]);
    for (index, y) in [0.01, 0.015, -0.01, 0.005].into_iter().enumerate() {
        let x = if index % 2 == 0 { 0.005 } else { -0.005 };
        rig.send(&[[x, y, 0.0]; 8]).unwrap();
        rig.run(800);
    }
    rig.run(300);
    let end = [0.5, -0.1 + 8.0 * 0.02, 0.1];
    assert!(distance(rig.tcp(), end) < 1e-4, "{:?}", rig.tcp());
    let used = usage(&Limits::panda(), &rig.stream);
    assert!(used.acceleration < 0.9 && used.jerk < 0.5, "{used:?}");
}

#[test]
fn a_chunk_that_interrupts_another_starts_from_its_own_anchor() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
    rig.send(&[[0.0, 0.02, 0.0]; 8]).unwrap();
    rig.run(350);
    let mut chunk = rig.chunk(&[[0.0, 0.0, 0.01]; 4]);
    // Planned from where the arm was 100 ms ago.
    chunk.anchor.position_m[1] -= 0.02;
    let anchor = chunk.anchor.position_m;
    rig.actuator.accept(&chunk, rig.now_ns).unwrap();
    assert!(rig.chunk_seq_is(chunk.seq));
    rig.run(600);
    assert!(distance(rig.tcp(), end_of(anchor, [0.0, 0.0, 0.01], 4)) < 1e-3);
    let used = usage(&Limits::panda(), &rig.stream);
    assert!(used.acceleration < 0.91, "{used:?}");
}

#[test]
fn steps_too_fast_for_the_joints_take_longer_on_the_same_path() {
    // Stretched out forwards the joints allow about half of 0.3 m/s.
    let mut rig = Rig::over(ActuatorConfig::default(), [0.6, 0.0, -0.1]);
    rig.send(&[[0.03, 0.0, 0.0]; 4]).unwrap();
    rig.run(400);
    assert_eq!(rig.actuator.status().mode, Mode::Executing);
    rig.run(600);
    assert_eq!(rig.actuator.status().mode, Mode::Holding);
    assert!(
        distance(rig.tcp(), [0.72, 0.0, -0.1]) < 1e-3,
        "{:?}",
        rig.tcp()
    );
}

#[test]
fn the_gripper_follows_the_step_that_begins_with_hysteresis() {
    let mut rig = Rig::new(ActuatorConfig::default());
    let mut chunk = rig.chunk(&[[0.0; 3]; 4]);
    for (step, action) in [0.1, -0.9, -0.1, 0.9].into_iter().enumerate() {
        row(&mut chunk, step)[3] = action;
    }
    rig.actuator.accept(&chunk, 0).unwrap();
    rig.run(400);
    let width = |tick: usize| rig.stream[tick].gripper_width_m;
    assert_eq!(
        [width(50), width(100), width(101), width(250), width(301)],
        [0.08, 0.08, 0.0, 0.0, 0.08]
    );
}

#[test]
fn the_anchor_stays_near_the_measured_tcp_when_the_arm_is_blocked() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
    rig.blocked = true;
    for _ in 0..20 {
        rig.send(&[[0.0, 0.0, -0.01]]).unwrap();
        rig.run(100);
    }
    rig.run(300);
    let lead = 0.1 - rig.anchor()[2];
    assert!((0.005..=0.02 + 1e-9).contains(&lead), "{lead}");
    // Nor do the setpoints push ever deeper.
    assert!(rig.tcp()[2] > 0.1 - 0.05, "{:?}", rig.tcp());
}

#[test]
fn a_chunk_that_leaves_the_arm_behind_is_given_up() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.2]);
    rig.blocked = true;
    rig.send(&[[0.0, 0.0, -0.02]; 8]).unwrap();
    rig.run(1500);
    assert_eq!(rig.kinds(), ["tracking_lost"]);
    assert_eq!(rig.actuator.status().mode, Mode::Holding);
    assert!(rig.actuator.status().chunk_step < 8);
    assert!((rig.tcp()[2] - 0.18).abs() < 1e-3, "{:?}", rig.tcp());
}

#[test]
fn stop_brakes_within_the_limits_and_holds_until_resumed() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, -0.1, 0.1]);
    assert!(rig.actuator.resume(0).is_err());
    rig.send(&[[0.0, 0.025, 0.0]; 8]).unwrap();
    rig.run(400);
    let at_stop = rig.tcp();
    rig.actuator.stop("operator", rig.now_ns);
    assert_eq!(rig.actuator.status().mode, Mode::Stopping);
    rig.run(150);
    assert_eq!(rig.actuator.status().mode, Mode::Stopped);
    assert!(distance(rig.tcp(), at_stop) < 0.02, "{:?}", rig.tcp());
    let used = usage(&Limits::panda(), &rig.stream);
    assert!(
        used.acceleration <= 0.9 + 1e-6 && used.jerk <= 0.5 + 1e-6,
        "{used:?}"
    );

    let stopped = rig.tcp();
    let refused = rig.send(&[[0.0, 0.02, 0.0]]).unwrap_err();
    assert_eq!(refused.kind, SafetyKind::NotAccepting);
    rig.run(300);
    assert!(distance(rig.tcp(), stopped) < 1e-6);

    rig.actuator.resume(rig.now_ns).unwrap();
    assert!(distance(rig.anchor(), stopped) < 1e-6);
    rig.send(&[[0.0, 0.02, 0.0]]).unwrap();
    rig.run(300);
    assert!((rig.tcp()[1] - stopped[1] - 0.02).abs() < 1e-4);
    assert_eq!(rig.kinds(), ["stop_requested", "not_accepting", "resumed"]);
}

#[test]
fn resume_is_refused_when_the_robot_was_moved() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
    rig.actuator.stop("operator", 0);
    rig.run(10);
    let q = Rig::over(ActuatorConfig::default(), [0.5, 0.3, 0.1])
        .reading
        .q_rad;
    rig.actuator.tick(&ArmReading::at_rest(q, 0.0), 11 * MS);
    assert!(rig.actuator.resume(11 * MS).is_err());
}

#[test]
fn readings_that_are_lost_or_wrong_stop_the_motion() {
    let mut nan = ArmReading::at_rest([0.0; 7], 0.0);
    nan.q_rad[3] = f64::NAN;
    let absurd = ArmReading::at_rest([9.0; 7], 0.0);
    for bad in [Some(nan), Some(absurd), None] {
        let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
        rig.send(&[[0.0, 0.02, 0.0]; 8]).unwrap();
        rig.run(300);
        for _ in 0..250 {
            rig.now_ns += MS;
            let setpoint = match bad {
                Some(reading) => rig.actuator.tick(&reading, rig.now_ns),
                None => rig.actuator.tick_without_reading(rig.now_ns),
            };
            rig.stream.push(setpoint);
        }
        assert_eq!(rig.actuator.status().mode, Mode::Stopped);
        let kinds = rig.kinds();
        match bad {
            Some(_) => assert_eq!(kinds, ["reading_refused", "reading_lost"]),
            None => assert_eq!(kinds, ["reading_lost"]),
        }
        let used = usage(&Limits::panda(), &rig.stream);
        assert!(used.acceleration <= 0.9 + 1e-6, "{used:?}");
        assert!(*rig.speeds().last().unwrap() < 1e-6);
    }
}

#[test]
fn a_few_missing_readings_are_bridged() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
    rig.send(&[[0.0, 0.01, 0.0]; 2]).unwrap();
    for _ in 0..15 {
        rig.run(10);
        for _ in 0..10 {
            rig.now_ns += MS;
            rig.reading.q_rad = rig.actuator.tick_without_reading(rig.now_ns).q_rad;
        }
    }
    rig.run(1);
    assert!((rig.tcp()[1] - 0.02).abs() < 1e-3, "{:?}", rig.tcp());
    assert!(rig.kinds().is_empty());
}

#[test]
fn a_pause_of_the_control_loop_ends_the_chunk() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
    rig.send(&[[0.0, 0.01, 0.0]; 8]).unwrap();
    rig.run(200);
    rig.now_ns += 500 * MS;
    rig.run(300);
    assert_eq!(rig.kinds(), ["loop_gap"]);
    assert!(rig.tcp()[1] < 0.025, "{:?}", rig.tcp());
}

#[test]
fn nothing_moves_before_the_first_chunk() {
    let config = ActuatorConfig {
        limits: Limits::fr3(),
        ..ActuatorConfig::default()
    };
    let mut rig = Rig::new(config);
    // Slightly tilted, as a robot guided by hand would be.
    rig.reading.q_rad[5] += 0.05;
    rig.actuator = tiller_motion::Actuator::new(config, &rig.reading, 0).unwrap();
    let q = rig.reading.q_rad;
    for _ in 0..200 {
        assert_eq!(rig.tick().q_rad, q);
    }
    rig.stream.drain(..1);
    // With the first chunk the gripper is straightened, gently.
    rig.send(&[[0.0, 0.0, 0.01]]).unwrap();
    rig.run(2000);
    let pose = tiller_motion::kinematics::forward(&rig.reading.q_rad);
    assert!(pose.quaternion_wxyz[1].abs() > 1.0 - 1e-9, "{pose:?}");
    assert!(usage(&config.limits, &rig.stream).acceleration <= 0.9 + 1e-6);
}

#[test]
fn the_same_calls_give_the_same_bits() {
    let run = || {
        let mut rig = Rig::over(ActuatorConfig::default(), [0.55, 0.1, 0.0]);
        for index in 0..6 {
            let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
            rig.send(&[[0.01 * sign, 0.02, -0.03 * sign]; 3]).unwrap();
            rig.run(170);
        }
        rig.stream
            .iter()
            .flat_map(|s| s.q_rad.map(f64::to_bits))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
    assert_eq!(PERIOD_S, 0.001);
}
