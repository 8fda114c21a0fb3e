//! The world's arm behind a robot's control interface, and a client that moves it.

use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tiller_fci::{FciArm, FciConfig, FciError};
use tiller_motion::{Arm, Setpoint};

use super::*;

/// Milliseconds of the client's motion, and of its hold after it.
const MOVES_MS: u32 = 1000;
const HOLDS_MS: u32 = 1500;

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Turns the first joint by 0.3 rad with the least jerk, holds it, and goes.
fn turn(port: u16) -> JoinHandle<Result<(), FciError>> {
    thread::spawn(move || {
        let config = FciConfig {
            hand: None,
            ..FciConfig::at(&format!("127.0.0.1:{port}"))
        };
        let mut arm = FciArm::connect_within(&config, Duration::from_secs(30))?;
        let start = arm.read()?;
        for tick in 1..=MOVES_MS + HOLDS_MS {
            let t = f64::from(tick.min(MOVES_MS)) / f64::from(MOVES_MS);
            let mut q_rad = start.q_rad;
            q_rad[0] += 0.3 * t.powi(3) * (10.0 - 15.0 * t + 6.0 * t * t);
            let gripper_width_m = start.gripper_width_m;
            arm.command(&Setpoint {
                q_rad,
                gripper_width_m,
            })?;
            arm.read()?;
        }
        Ok(())
    })
}

/// The arm that turns, behind an interface at `port`, until enough has been sent.
fn behind(port: u16, more: &[(&str, &str)], enough: impl Fn(&Sent) -> bool + 'static) -> Sent {
    let port = port.to_string();
    let pairs = [
        ("ROBOT", "fci"),
        ("FCI_PORT", port.as_str()),
        ("FCI_GRIPPER_PORT", "0"),
        ("TASK", "signal"),
        ("SPEED", "1"),
    ];
    let script = Script::new(ESSENTIAL)
        .wired(&["arm_command"])
        .message("tick", &ArmState::default())
        .until("tick", enough)
        .pause("tick", 0.2)
        .stop();
    signal(&[&pairs[..], more].concat(), script)
}

fn is_told(sent: &Sent, code: &str) -> bool {
    codes(sent).iter().any(|known| known == code)
}

#[test]
fn a_client_moves_the_arm_and_the_world_judges() {
    let port = free_port();
    let client = turn(port);
    let sent = behind(port, &[], |sent| {
        let verdicts: Vec<TaskStatus> = sent.messages("task_status").unwrap();
        verdicts.last().is_some_and(|verdict| verdict.episode_over)
    });
    client.join().unwrap().unwrap();
    let verdicts: Vec<TaskStatus> = sent.messages("task_status").unwrap();
    let last = verdicts.last().unwrap();
    assert!(last.success && last.episode_over, "{last:?}");
    // The machine's clock, by which the robot's client lives too.
    let now_ns = tiller_node_kit::robot_clock_ns();
    assert!(now_ns - last.stamp_ns < 60_000_000_000, "{}", last.stamp_ns);
    assert_eq!(sent.count("sim_arm_state"), 0);
    assert!(sent.count("image") > 5, "{}", sent.count("image"));
    let robot: Vec<_> = statuses(&sent)
        .into_iter()
        .filter(|status| status.code == "robot")
        .collect();
    assert_eq!(robot.len(), 1);
    assert!(robot[0].text.contains(" 0 reflexes"), "{}", robot[0].text);
}

#[test]
fn a_reflex_is_told_and_so_is_the_way_to_rest() {
    let port = free_port();
    let client = turn(port);
    let sent = behind(port, &[("FCI_FAULTS", "reflex@500")], |sent| {
        is_told(sent, "robot_at_rest") && is_told(sent, "robot_disconnected")
    });
    let error = client.join().unwrap().unwrap_err();
    assert!(matches!(error, FciError::Reflex { .. }), "{error}");
    for code in [
        "robot_connected",
        "robot_reflex",
        "robot_at_rest",
        "robot_disconnected",
    ] {
        assert!(is_told(&sent, code), "{code}: {:?}", codes(&sent));
    }
    let verdicts: Vec<TaskStatus> = sent.messages("task_status").unwrap();
    assert!(verdicts.iter().all(|verdict| !verdict.success));
}

#[test]
fn a_client_that_does_not_come_is_named_and_the_world_waits() {
    let more = [("EPISODE_S", "1")];
    // Everybody is shown the scene again: who starts later has seen it too.
    let sent = behind(free_port(), &more, |sent| {
        is_told(sent, "waiting") && sent.count("image") >= 3
    });
    let verdicts: Vec<TaskStatus> = sent.messages("task_status").unwrap();
    assert!(
        verdicts.iter().all(|verdict| !verdict.episode_over),
        "{verdicts:?}"
    );
}

#[test]
fn commands_of_an_arm_in_lockstep_are_refused() {
    let port = free_port().to_string();
    let script = Script::new(ESSENTIAL)
        .message("arm_command", &command(1, 0))
        .message("tick", &ArmState::default())
        .pause("tick", 0.5)
        .stop();
    let pairs = [
        ("ROBOT", "fci"),
        ("FCI_PORT", port.as_str()),
        ("FCI_GRIPPER_PORT", "0"),
        ("SPEED", "1"),
    ];
    let sent = signal(&pairs, script);
    let refused = statuses(&sent)
        .into_iter()
        .find(|status| status.code == "message_refused")
        .unwrap();
    assert!(refused.text.contains("ROBOT=fci"), "{}", refused.text);
}
