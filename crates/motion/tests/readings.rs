//! Bad readings are left out, lost ones stop the arm, and what stopped can go on.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod common;

use common::{MS, Rig, distance};
use tiller_motion::{ActuatorConfig, ArmReading, Mode, Resume, ResumeError};

const START: [f64; 3] = [0.5, 0.0, 0.1];

fn moving(config: ActuatorConfig) -> Rig {
    let mut rig = Rig::over(config, START);
    rig.send(&[[0.0, 0.01, 0.0]; 8]).unwrap();
    rig.run(200);
    rig
}

fn lose(rig: &mut Rig, ticks: usize) {
    for _ in 0..ticks {
        rig.now_ns += MS;
        let setpoint = rig.actuator.tick_without_reading(rig.now_ns);
        rig.stream.push(setpoint);
        rig.reading = ArmReading::at_rest(setpoint.q_rad, setpoint.gripper_width_m);
    }
}

#[test]
fn one_bad_reading_is_told_and_the_motion_goes_on() {
    type Spoil = fn(&mut ArmReading);
    let spoils: [Spoil; 4] = [
        |reading| reading.q_rad[2] = f64::NAN,
        |reading| reading.dq_rad_s[6] = f64::INFINITY,
        |reading| reading.q_rad[3] = 80.0,
        // Within its limits, but not within a millisecond.
        |reading| reading.q_rad[0] += 0.9,
    ];
    for spoil in spoils {
        let mut rig = moving(ActuatorConfig::default());
        let mut bad = rig.reading;
        spoil(&mut bad);
        rig.now_ns += MS;
        let setpoint = rig.actuator.tick(&bad, rig.now_ns);
        rig.stream.push(setpoint);
        rig.reading.q_rad = setpoint.q_rad;
        let events = rig.actuator.drain_events();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].kind.as_str(), "reading_refused");
        assert_eq!(rig.actuator.status().refused_readings, 1);
        assert_eq!(rig.actuator.status().mode, Mode::Executing);
        rig.run(800);
        assert!(distance(rig.tcp(), [0.5, 0.08, 0.1]) < 1e-3);
        assert!(rig.kinds().is_empty());
    }
}

#[test]
fn what_stopped_says_how_to_go_on_and_goes_on() {
    let mut rig = moving(ActuatorConfig::default());
    lose(&mut rig, 300);
    let events = rig.actuator.drain_events();
    assert_eq!(events.len(), 1);
    assert!(
        events[0]
            .text
            .contains("a good reading of at most 20 ms, found 21 ms"),
        "{}",
        events[0].text
    );
    assert!(events[0].text.contains("`resume`"), "{}", events[0].text);
    let refused = rig.actuator.resume(rig.now_ns);
    assert!(
        matches!(refused, Err(ResumeError::NoReading(300))),
        "{refused:?}"
    );
    rig.run(500);
    assert_eq!(rig.actuator.status().mode, Mode::Stopped);
    rig.actuator.resume(rig.now_ns).unwrap();
    let start = rig.tcp();
    rig.send(&[[0.0, 0.01, 0.0]; 2]).unwrap();
    rig.run(500);
    assert!((rig.tcp()[1] - start[1] - 0.02).abs() < 1e-4);
}

#[test]
fn it_goes_on_by_itself_only_if_configured_and_only_after_lost_readings() {
    let config = ActuatorConfig {
        resume: Resume::Automatic { after_ns: 200 * MS },
        ..ActuatorConfig::default()
    };
    let mut rig = moving(config);
    lose(&mut rig, 300);
    let events = rig.actuator.drain_events();
    assert!(
        events[0].text.contains("after 200 ms of good readings"),
        "{}",
        events[0].text
    );
    rig.run(150);
    // A gap begins the wait anew.
    lose(&mut rig, 1);
    rig.run(200);
    assert_eq!(rig.actuator.status().mode, Mode::Stopped);
    rig.run(1);
    assert_eq!(rig.actuator.status().mode, Mode::Holding);
    assert_eq!(rig.kinds(), ["resumed"]);

    rig.actuator.stop("operator", rig.now_ns);
    rig.run(1000);
    assert_eq!(rig.actuator.status().mode, Mode::Stopped);
    // A stop that comes while readings are lost counts more.
    let mut rig = moving(config);
    lose(&mut rig, 25);
    rig.actuator.stop("operator", rig.now_ns);
    rig.run(1000);
    assert_eq!(rig.actuator.status().mode, Mode::Stopped);
}

#[test]
fn a_robot_that_was_moved_meanwhile_does_not_go_on_by_itself() {
    let config = ActuatorConfig {
        resume: Resume::Automatic { after_ns: 50 * MS },
        ..ActuatorConfig::default()
    };
    let mut rig = moving(config);
    lose(&mut rig, 300);
    rig.actuator.drain_events();
    rig.blocked = true;
    rig.reading.q_rad[0] += 0.6;
    rig.run(200);
    assert_eq!(rig.kinds(), ["resume_refused"]);
    rig.reading.q_rad[0] -= 0.6;
    rig.run(200);
    assert_eq!(rig.actuator.status().mode, Mode::Stopped);
    rig.actuator.resume(rig.now_ns).unwrap();
}

#[test]
fn a_time_that_leaps_once_ends_the_chunk_at_most() {
    for leap in [u64::MAX, 0] {
        let mut rig = moving(ActuatorConfig::default());
        rig.actuator.tick(&rig.reading, leap);
        rig.run(400);
        assert_ne!(rig.actuator.status().mode, Mode::Stopped);
        assert!(rig.kinds().iter().all(|kind| *kind == "loop_gap"));
        let start = rig.anchor();
        rig.send(&[[0.0, 0.01, 0.0]; 2]).unwrap();
        rig.run(500);
        assert!((rig.tcp()[1] - start[1] - 0.02).abs() < 1e-3);
    }
}
