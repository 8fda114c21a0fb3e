//! `dataflows/emulated-franka.yml`: the play table's arm, moved through a Franka's control interface by the
//! driver for real ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::net::TcpListener;
use std::path::Path;

use common::{Run, run_file};

const EMULATED: &str = "dataflows/emulated-franka.yml";
/// Longest run, s of wall time.
const LIMIT_S: u32 = 240;

/// Opens the drawer, on ports of its own.
fn run(more: &[(&str, &str)]) -> Run {
    // They are taken seconds later: none that the system gives to others meanwhile.
    let first = 20_000 + (std::process::id() % 5_000) as u16 * 2;
    let mut free = (first..32_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let ports = [(); 2].map(|()| free.next().unwrap().to_string());
    let base = [
        ("TILLER_INSTRUCTION", "open the drawer"),
        ("TILLER_SEED", "1"),
        ("TILLER_FCI_PORT", ports[0].as_str()),
        ("TILLER_FCI_GRIPPER_PORT", ports[1].as_str()),
    ];
    run_file(Path::new(EMULATED), &[&base[..], more].concat(), LIMIT_S)
}

/// Commands that the robot missed, and reflexes.
fn missed_and_reflexes(run: &Run) -> (u64, u64) {
    let summary = run.summary();
    let robot = summary["robot"].as_str().expect("the robot's word");
    let number = |what: &str| {
        let before = robot.split(what).next().unwrap();
        before.split_whitespace().last().unwrap().parse().unwrap()
    };
    (number(" missed"), number(" reflexes"))
}

#[test]
fn the_driver_opens_the_drawer_without_a_reflex() {
    let run = run(&[]);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{summary:#}\n{}", run.log);
    assert!(run.status.success(), "{}", run.log);
    assert_eq!(missed_and_reflexes(&run), (0, 0), "{summary:#}");
    let safety = &summary["notices"]["safety"];
    assert!(safety["arm_failed"].is_null(), "{safety}\n{}", run.log);
}

#[test]
fn a_twentieth_of_all_packets_may_get_lost() {
    let run = run(&[("TILLER_FCI_FAULTS", "loss=0.05")]);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{summary:#}\n{}", run.log);
    let (missed, reflexes) = missed_and_reflexes(&run);
    assert!(missed > 100 && reflexes == 0, "{summary:#}");
}

#[test]
fn a_robot_that_stops_by_itself_stays_where_it_is() {
    let settings = [
        ("TILLER_FCI_FAULTS", "reflex@6000"),
        ("TILLER_EPISODE_S", "12"),
    ];
    let run = run(&settings);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "timeout", "{summary:#}\n{}", run.log);
    assert_eq!(summary["notices"]["warnings"]["robot_reflex"], 1);
    let told = "arm_failed: ";
    assert!(run.log.contains(told), "{}", run.log);
    assert!(run.log.contains("cartesian_reflex"), "{}", run.log);
    assert!(run.log.contains("the arm rests"), "{}", run.log);
}

#[test]
fn wrong_settings_of_the_robot_are_told_at_once() {
    let run = run(&[
        ("TILLER_FCI_FAULTS", "earthquake@3000"),
        ("TILLER_SPEED", "3"),
    ]);
    assert!(!run.status.success(), "{}", run.log);
    for what in [
        "FCI_FAULTS: expected loss=SHARE",
        "SPEED: expected 0.1 to 1",
    ] {
        assert!(run.log.contains(what), "{what}:\n{}", run.log);
    }
}
