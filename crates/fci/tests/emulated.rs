//! The driver against a robot that is not there: motion, faults, recovery.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use common::Rig;
use tiller_fci::{FciArm, FciConfig, FciError, HandConfig};
use tiller_fci_emulator::{Clock, Config, Emulator, ErrorFlag, Event, Fault, FciVersion};
use tiller_motion::limits::Robot;
use tiller_motion::{Arm, Mode, StartGap};

fn lockstep() -> Config {
    Config {
        clock: Clock::Lockstep,
        ..Config::default()
    }
}

fn settings(emulator: &Emulator) -> FciConfig {
    FciConfig {
        hand: None,
        ..FciConfig::at(&emulator.address())
    }
}

fn with_hand(emulator: &Emulator) -> FciConfig {
    let hand = HandConfig {
        speed_m_s: 0.2,
        ..HandConfig::at(&emulator.gripper_address())
    };
    FciConfig {
        hand: Some(hand),
        ..settings(emulator)
    }
}

fn is_reflex(error: &FciError, flag: ErrorFlag) -> bool {
    matches!(error, FciError::Reflex { reasons, .. } if reasons == &[flag.name()])
}

fn reflexes(emulator: &Emulator) -> Vec<Event> {
    let entries = emulator.log().into_iter().map(|entry| entry.event);
    entries
        .filter(|event| matches!(event, Event::Reflex(_)))
        .collect()
}

#[test]
fn ten_seconds_of_chunks_without_a_reflex() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    let mut rig = Rig::new(&settings(&emulator));
    assert_eq!(rig.arm.robot(), Robot::Fr3);
    rig.wander(10_000).unwrap();
    let mode = rig.actuator.as_ref().unwrap().status().mode;
    assert!(matches!(mode, Mode::Executing | Mode::Holding), "{mode}");
    let counters = emulator.counters();
    assert!(
        counters.commands >= 10_000 && counters.missed == 0,
        "{counters:?}"
    );
    assert!(counters.peaks.velocity > 0.1, "it moved: {counters:?}");
    assert!(counters.peaks.jerk < 0.95, "{counters:?}");
    drop(rig);
    assert_eq!(reflexes(&emulator), []);
}

#[test]
fn whatever_chunks_come_the_robot_has_no_reason_to_stop() {
    for seed in 1..=3 {
        let emulator = Emulator::start(&lockstep()).unwrap();
        let mut rig = Rig::new(&settings(&emulator));
        rig.provoke(4_000, seed).unwrap();
        let counters = emulator.counters();
        assert_eq!(reflexes(&emulator), [], "{counters:?}");
        assert!(counters.peaks.velocity > 0.2, "{counters:?}");
    }
}

#[test]
fn a_panda_is_moved_as_well() {
    let config = Config {
        version: FciVersion::V5,
        ..lockstep()
    };
    let emulator = Emulator::start(&config).unwrap();
    let mut rig = Rig::new(&settings(&emulator));
    assert_eq!(rig.arm.robot(), Robot::Panda);
    rig.wander(5_000).unwrap();
}

#[test]
fn lost_packets_and_a_short_stall_are_borne() {
    for share in [0.01, 0.05] {
        let emulator = Emulator::start(&Config {
            seed: 3,
            ..lockstep()
        })
        .unwrap();
        emulator.fault(Fault::Loss {
            states: share,
            commands: share,
        });
        let mut rig = Rig::new(&settings(&emulator));
        rig.wander(5_000).unwrap();
        let counters = emulator.counters();
        assert!(counters.missed as f64 > 5_000.0 * share, "{counters:?}");
        assert_eq!(reflexes(&emulator), [], "{counters:?}");
    }
    for at_ms in [300, 450, 600, 1234] {
        let emulator = Emulator::start(&lockstep()).unwrap();
        emulator.fault_at(at_ms, Fault::Stall { ms: 19 });
        let mut rig = Rig::new(&settings(&emulator));
        rig.wander(2_000).unwrap();
        assert_eq!(emulator.counters().missed, 19);
    }
}

#[test]
fn twenty_milliseconds_of_silence_are_a_reflex_by_name() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    emulator.fault_at(400, Fault::Stall { ms: 20 });
    let mut rig = Rig::new(&settings(&emulator));
    let error = rig.fails(3_000);
    assert!(is_reflex(&error, ErrorFlag::COMMUNICATION), "{error}");
    // What the robot said last before nothing passed: everything had come.
    assert!(
        matches!(error, FciError::Reflex { received, .. } if received == 1.0),
        "{error}"
    );
}

#[test]
fn a_reflex_is_told_until_somebody_recovers_the_arm() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    emulator.fault_at(1_250, Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    let mut rig = Rig::new(&settings(&emulator));
    let error = rig.fails(3_000);
    assert!(is_reflex(&error, ErrorFlag::CARTESIAN_REFLEX), "{error}");
    assert_eq!(rig.arm.read().unwrap_err(), error);
    assert_eq!(rig.tick().unwrap_err(), error);
    rig.recover().unwrap();
    rig.wander(3_000).unwrap();
    assert_eq!(reflexes(&emulator).len(), 1);
}

#[test]
fn what_only_people_can_mend_is_told_as_such() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    emulator.fault(Fault::Stuck(true));
    emulator.fault_at(300, Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    let mut rig = Rig::new(&settings(&emulator));
    rig.fails(1_000);
    let refused = rig.recover().unwrap_err();
    assert!(
        matches!(&refused, FciError::Refused(text) if text.contains("manual")),
        "{refused}"
    );
    emulator.fault(Fault::Stuck(false));
    rig.recover().unwrap();
    rig.wander(500).unwrap();
}

#[test]
fn the_user_stop_stops_and_holds() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    emulator.fault_at(300, Fault::UserStop(true));
    let mut rig = Rig::new(&settings(&emulator));
    assert_eq!(rig.fails(1_000), FciError::UserStop);
    assert_eq!(rig.recover(), Err(FciError::UserStop));
    emulator.fault(Fault::UserStop(false));
    while rig.recover().is_err() {}
    rig.wander(1_000).unwrap();
}

#[test]
fn a_lost_connection_is_told_and_made_anew() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    emulator.fault_at(300, Fault::Drop);
    let mut rig = Rig::new(&settings(&emulator));
    let error = rig.fails(1_000);
    assert!(matches!(error, FciError::ConnectionLost(_)), "{error:?}");
    assert_eq!(
        rig.arm.read().unwrap_err(),
        error,
        "at once, without waiting"
    );
    rig.recover().unwrap();
    rig.wander(1_000).unwrap();
}

#[test]
fn nobody_there_is_an_error_with_the_address() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    let config = settings(&emulator);
    drop(emulator);
    let error = FciArm::connect(&config).err().unwrap();
    assert!(matches!(&error, FciError::Unreachable { address, .. } if *address == config.address));
}

#[test]
fn a_first_setpoint_elsewhere_is_refused() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    let mut arm = FciArm::connect(&settings(&emulator)).unwrap();
    let reading = arm.read().unwrap();
    let mut setpoint = tiller_motion::Setpoint {
        q_rad: reading.q_rad,
        gripper_width_m: 0.0,
    };
    setpoint.q_rad[2] += 0.2;
    let refused = arm.command(&setpoint).unwrap_err();
    assert!(
        matches!(refused, FciError::StartGap(StartGap { joint: 3, .. })),
        "{refused}"
    );
    // A little way off it is approached, without a reflex.
    setpoint.q_rad[2] = reading.q_rad[2] + 0.04;
    arm.read().unwrap();
    for _ in 0..500 {
        arm.command(&setpoint).unwrap();
        arm.read().unwrap();
    }
    assert!((emulator.reading().q_rad[2] - setpoint.q_rad[2]).abs() < 1e-6);
}

#[test]
fn a_motion_ends_well_with_the_arm() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    let mut rig = Rig::new(&settings(&emulator));
    // One chunk, and until it has come to rest.
    rig.wander(699).unwrap();
    for _ in 0..500 {
        rig.tick().unwrap();
    }
    drop(rig);
    let ended = emulator.log().into_iter().any(
        |entry| matches!(entry.event, Event::MotionEnded { status, .. } if status == "Success"),
    );
    assert!(ended, "{:?}", emulator.log());
}

/// The tool's way from `from`, m.
fn way_m(emulator: &Emulator, from: &[f64; 7]) -> f64 {
    let at = |q_rad: &[f64; 7]| tiller_motion::kinematics::forward(q_rad).position_m;
    let (from, to) = (at(from), at(&emulator.reading().q_rad));
    let squares = (0..3).map(|axis| (to[axis] - from[axis]).powi(2));
    squares.sum::<f64>().sqrt()
}

fn is_moving(emulator: &Emulator) -> bool {
    let rates = emulator.reading().dq_rad_s;
    rates.iter().any(|rate| rate.abs() > 1e-3)
}

/// At moments all over a motion: a stop by the client is a motion like any other, without a reflex.
#[test]
fn a_stop_at_any_moment_brings_the_arm_to_rest() {
    let (mut slowest_ms, mut longest_m, mut moving) = (0, 0.0_f64, 0);
    for at_ms in (60..1_400).step_by(90) {
        let emulator = Emulator::start(&lockstep()).unwrap();
        let mut rig = Rig::new(&settings(&emulator));
        rig.wander(at_ms).unwrap();
        moving += u32::from(is_moving(&emulator));
        let (from, begun_ns) = (emulator.reading().q_rad, rig.now_ns);
        let now_ns = rig.now_ns;
        rig.actuator.as_mut().unwrap().stop("a test", now_ns);
        while rig.actuator.as_ref().unwrap().status().mode != Mode::Stopped {
            rig.tick().unwrap();
        }
        slowest_ms = slowest_ms.max((rig.now_ns - begun_ns) / 1_000_000);
        longest_m = longest_m.max(way_m(&emulator, &from));
        for _ in 0..50 {
            rig.tick().unwrap();
        }
        assert!(!is_moving(&emulator), "{at_ms}");
        assert_eq!(reflexes(&emulator), [], "{at_ms}");
    }
    assert!(moving > 8, "only {moving} moments of motion");
    assert!(
        slowest_ms <= 100 && longest_m < 0.01,
        "{slowest_ms} ms, {longest_m} m"
    );
}

#[test]
fn whoever_is_started_anew_in_motion_takes_the_arm_up_where_it_is() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    let mut rig = Rig::new(&settings(&emulator));
    rig.wander(1_000).unwrap();
    assert!(is_moving(&emulator));
    drop(rig);
    let mut rig = Rig::new(&settings(&emulator));
    rig.wander(2_000).unwrap();
    assert_eq!(reflexes(&emulator), []);
    let begun = emulator.log().into_iter();
    let begun = begun.filter(|entry| matches!(entry.event, Event::MotionBegan { .. }));
    assert_eq!(begun.count(), 2);
}

/// Reads and holds, so long as `is_done` is not met; in real time, for hands take theirs.
fn hold(arm: &mut FciArm, width_m: f64, is_done: impl Fn(&FciArm) -> bool) {
    let setpoint = tiller_motion::Setpoint {
        q_rad: tiller_core::kinematics::HOME_Q,
        gripper_width_m: width_m,
    };
    for _ in 0..200_000 {
        arm.command(&setpoint).unwrap();
        arm.read().unwrap();
        if is_done(arm) {
            return;
        }
    }
    panic!("never: {:?}", arm.hand());
}

#[test]
fn the_hand_opens_closes_holds_and_changes_its_mind() {
    let config = Config {
        object_m: 0.03,
        ..lockstep()
    };
    let emulator = Emulator::start(&config).unwrap();
    let mut arm = FciArm::connect(&with_hand(&emulator)).unwrap();
    arm.read().unwrap();
    assert!(!arm.hand().unwrap().is_holding);
    hold(&mut arm, 0.0, |arm| arm.hand().unwrap().is_holding);
    assert!((arm.hand().unwrap().width_m - 0.03).abs() < 1e-6);
    hold(&mut arm, 0.08, |arm| arm.hand().unwrap().width_m > 0.05);
    // On its way it is told otherwise.
    hold(&mut arm, 0.0, |arm| arm.hand().unwrap().is_holding);
    let grasps = emulator
        .log()
        .into_iter()
        .filter(|entry| matches!(&entry.event, Event::Gripper(what) if what.starts_with("Grasp")));
    assert_eq!(grasps.count(), 2);
    assert_eq!(reflexes(&emulator), []);
}

#[test]
fn a_lost_hand_stops_the_arm_and_is_found_again() {
    let emulator = Emulator::start(&lockstep()).unwrap();
    let mut rig = Rig::new(&with_hand(&emulator));
    rig.wander(200).unwrap();
    emulator.fault(Fault::Drop);
    let error = rig.fails(10_000);
    assert!(
        matches!(error, FciError::HandLost(_) | FciError::ConnectionLost(_)),
        "{error:?}"
    );
    rig.recover().unwrap();
    rig.wander(200).unwrap();
}
