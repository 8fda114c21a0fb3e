//! The driver against controllers on a real loopback socket: emulated ones, and rude ones.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tiller_core::Pose;
use tiller_core::kinematics::HOME_Q;
use tiller_motion::{Arm, ArmFault, Setpoint, StartGap};
use tiller_osc::emulator::{Config, Emulator};
use tiller_osc::wire::{Fault, Hello};
use tiller_osc::{OscArm, OscConfig, OscError};

const HELLO: &str = r#"{"hello":{"version":1,"rate_hz":100,"most_m":0.05,"most_rad":0.5,"joints":true,"gripper_m":[0,0.08]}}"#;

fn state(seq: u64, clock_ms: u64) -> String {
    format!(
        r#"{{"state":{{"seq":{seq},"clock_ns":{},"q_rad":[0,0,0,-1.9,0,1.9,0.8],"dq_rad_s":[0,0,0,0,0,0,0],"tool_position_m":[0.5,0,0.3],"tool_quaternion_wxyz":[0,1,0,0],"gripper_width_m":0.08,"fault":"none"}}}}"#,
        clock_ms * 1_000_000
    )
}

/// A controller that says these lines, whatever it hears, and then nothing until its driver goes.
fn scripted(lines: Vec<String>, stays: bool) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for line in lines {
            // A driver that has heard enough is gone already.
            if stream.write_all(line.as_bytes()).is_err() || stream.write_all(b"\n").is_err() {
                return;
            }
        }
        if stays {
            for line in BufReader::new(stream).lines() {
                if line.is_err() {
                    return;
                }
            }
        }
    });
    (address, thread)
}

fn quick(address: &str) -> OscConfig {
    OscConfig {
        silence: Duration::from_millis(200),
        ..OscConfig::at(address)
    }
}

/// Reads until something is told that does not pass by itself.
fn lasting(arm: &mut OscArm) -> OscError {
    loop {
        match arm.read() {
            Err(error) if error.fault().is_some() => return error,
            _ => {}
        }
    }
}

fn fails_with(lines: &[String], stays: bool) -> OscError {
    let (address, thread) = scripted(lines.to_vec(), stays);
    let error = match OscArm::connect(&quick(&address)) {
        Err(error) => error,
        Ok(mut arm) => {
            let error = lasting(&mut arm);
            // It holds, and moves nothing.
            assert_eq!(arm.read(), Err(error.clone()));
            assert_eq!(arm.fault(), Some(ArmFault::Connection));
            let home = Setpoint {
                q_rad: HOME_Q,
                gripper_width_m: 0.0,
            };
            assert_eq!(arm.command(&home), Err(error.clone()));
            error
        }
    };
    thread.join().unwrap();
    error
}

fn config(rate_hz: f64) -> Config {
    let default = Config::default();
    Config {
        hello: Hello {
            rate_hz,
            ..default.hello
        },
        is_paced: false,
        ..default
    }
}

#[test]
fn a_swing_is_followed_to_millimetres() {
    let elsewhere = Pose {
        position_m: [0.03, -0.02, -0.05],
        quaternion_wxyz: [0.8, 0.0, 0.6, 0.0],
    };
    for (tool_from_controlled, rate_hz, most_m) in [
        (Pose::IDENTITY, 20.0, 4e-3),
        (elsewhere, 20.0, 4e-3),
        (Pose::IDENTITY, 100.0, 6e-4),
    ] {
        let emulator = Emulator::start(&Config {
            tool_from_controlled,
            ..config(rate_hz)
        })
        .unwrap();
        let mut arm = OscArm::connect(&OscConfig::at(&emulator.address())).unwrap();
        let followed = common::swing(&mut arm).unwrap();
        assert!(followed.largest_m < most_m, "{rate_hz} Hz: {followed:?}");
        assert!(followed.left_m < 1e-5, "{rate_hz} Hz: {followed:?}");
        let (steps, clamped) = arm.steps();
        assert_eq!(clamped, 0);
        assert!(steps >= followed.states.into());
        assert_eq!(emulator.refused(), 0);
    }
}

#[test]
fn nothing_is_sent_before_the_first_setpoint_and_a_stop_at_the_end() {
    let emulator = Emulator::start(&config(100.0)).unwrap();
    let mut arm = OscArm::connect(&OscConfig::at(&emulator.address())).unwrap();
    let mut reading = arm.read().unwrap();
    for _ in 0..5 {
        reading = arm.read().unwrap();
        assert_eq!(arm.elapsed_ms(), Some(10));
        assert_eq!(arm.period_ms(), 10);
    }
    assert_eq!(emulator.steps(), 0);
    let mut setpoint = Setpoint {
        q_rad: reading.q_rad,
        gripper_width_m: 1.0,
    };
    setpoint.q_rad[0] += 0.04;
    while emulator.steps() < 3 {
        arm.read().unwrap();
        for _ in 0..arm.elapsed_ms().unwrap() {
            arm.command(&setpoint).unwrap();
        }
    }
    // No wider than the hand opens.
    assert_eq!(emulator.last_step().unwrap().gripper_width_m, 0.08);
    drop(arm);
    while emulator.last_step().unwrap().translation_m != [0.0; 3] {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_motion_begins_where_the_arm_is() {
    let emulator = Emulator::start(&config(100.0)).unwrap();
    let mut arm = OscArm::connect(&OscConfig::at(&emulator.address())).unwrap();
    arm.read().unwrap();
    let mut setpoint = Setpoint {
        q_rad: arm.read().unwrap().q_rad,
        gripper_width_m: 0.08,
    };
    setpoint.q_rad[3] += 0.06;
    let mut told = Ok(());
    for _ in 0..10 {
        told = told.and(arm.command(&setpoint));
    }
    assert!(
        matches!(told, Err(OscError::StartGap(StartGap { joint: 4, .. }))),
        "{told:?}"
    );
    assert_eq!(emulator.steps(), 0);
}

#[test]
fn an_arm_that_stops_is_told_why_and_goes_on_when_it_is_ready_again() {
    for (word, fault) in [
        (Fault::Reflex, ArmFault::Reflex),
        (Fault::UserStop, ArmFault::UserStop),
        (Fault::NotReady, ArmFault::NotReady),
    ] {
        let emulator = Emulator::start(&config(100.0)).unwrap();
        let mut arm = OscArm::connect(&OscConfig::at(&emulator.address())).unwrap();
        arm.read().unwrap();
        assert_eq!(arm.recover(), Ok(false));
        emulator.fault(word);
        assert_eq!(lasting(&mut arm).fault(), Some(fault));
        assert_eq!(arm.fault(), Some(fault));
        assert!(arm.recover().is_err(), "{word:?} lasts");
        emulator.fault(Fault::None);
        // What has stopped stays so until somebody asks.
        for _ in 0..3 {
            assert!(arm.read().is_err());
        }
        while arm.recover() != Ok(true) {}
        assert_eq!(arm.fault(), None);
        common::swing(&mut arm).unwrap();
    }
}

#[test]
fn silence_is_late_first_and_then_a_fault_until_it_is_connected_anew() {
    let emulator = Emulator::start(&config(100.0)).unwrap();
    let mut arm = OscArm::connect(&quick(&emulator.address())).unwrap();
    arm.read().unwrap();
    emulator.silence(true);
    let mut told = Vec::new();
    while arm.fault().is_none() {
        told.extend(arm.read().err());
    }
    assert!(
        matches!(told.first(), Some(OscError::Late { period_ms: 10, .. })),
        "{told:?}"
    );
    assert!(
        matches!(told.last(), Some(OscError::Silent { .. })),
        "{told:?}"
    );
    assert_eq!(arm.elapsed_ms(), Some(1));
    assert!(arm.recover().is_err());
    emulator.silence(false);
    while arm.recover() != Ok(true) {}
    common::swing(&mut arm).unwrap();
}

#[test]
fn a_rude_controller_is_told_for_what_it_is() {
    let line = |text: &str| text.to_owned();
    let told = |lines: &[String], stays| fails_with(lines, stays).to_string();
    let hello = line(HELLO);
    let expected = |text: String, parts: &[&str]| {
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    };
    expected(told(&[], false), &["is lost", "closed"]);
    expected(
        told(&[line("GET / HTTP/1.1")], true),
        &["a hello or a state", "`GET / HTTP/1.1`"],
    );
    expected(told(&[state(1, 1)], true), &["a hello first"]);
    let other = hello.replace("\"version\":1", "\"version\":9");
    expected(told(&[other], true), &["version 1", "version 9"]);
    let blind = hello.replace("true", "false");
    expected(told(&[blind], true), &["seven joints"]);
    expected(told(&[line(HELLO)], true), &["silent for"]);
    expected(told(&["x".repeat(5_000)], true), &["4096", "longer"]);
    let begun = [hello.clone(), state(1, 10)];
    expected(told(&begun, false), &["is lost"]);
    expected(told(&begun, true), &["silent for"]);
    let after = |text: String| [&begun[..], &[text]].concat();
    expected(
        told(&after(line("{}")), true),
        &["a hello or a state", "`{}`"],
    );
    expected(
        told(&after(state(2, 10)), true),
        &["a clock_ns above 10000000", "10000000"],
    );
    expected(told(&after(hello), true), &["another hello"]);
    expected(told(&after("y".repeat(20_000)), true), &["4096", "longer"]);
}

#[test]
fn nobody_there_is_told() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = OscConfig::at(&port.to_string());
    let found = OscArm::connect_within(&config, Duration::from_millis(300));
    assert!(matches!(found, Err(OscError::Unreachable { .. })));
}
