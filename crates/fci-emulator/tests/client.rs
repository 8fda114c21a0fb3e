//! The emulator as a client of libfranka's kind finds it, over sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::f64::consts::PI;
use std::thread;
use std::time::{Duration, Instant};

use franka::{
    ControllerMode, FciVersion, FrankaError, Gripper, JointPositions, JointVelocities, MoveStatus,
    RealtimeConfig, Robot, RobotMode, RobotOptions, RobotState, Torques, VersionPolicy,
    motion_finished,
};
use tiller_core::kinematics::HOME_Q;
use tiller_fci_emulator::{Clock, Config, Emulator, ErrorFlag, Event, Fault, RemoteArm};
use tiller_motion::ArmReading;

fn lockstep() -> Config {
    Config {
        clock: Clock::Lockstep,
        ..Config::default()
    }
}

fn emulator() -> Emulator {
    Emulator::start(&lockstep()).unwrap()
}

fn connect(emulator: &Emulator) -> Robot {
    Robot::new(&emulator.address(), RealtimeConfig::Ignore).unwrap()
}

/// Joint 4 there and back over a second, again and again, as libfranka's example moves it.
fn swing(robot: &Robot, seconds: f64) -> franka::FrankaResult<()> {
    let start = robot.read_once()?.q_d;
    let mut time = 0.0;
    robot.control_joint_positions(
        |_: &RobotState, period| {
            time += period.as_secs_f64();
            let mut q = start;
            q[3] += 0.05 * (1.0 - (2.0 * PI * time.min(seconds)).cos());
            let output = JointPositions::new(q);
            if time >= seconds {
                motion_finished(output)
            } else {
                output
            }
        },
        ControllerMode::JointImpedance,
        false,
        franka::MAX_CUTOFF_FREQUENCY,
    )
}

fn exception(result: franka::FrankaResult<()>) -> franka::ControlException {
    match result {
        Err(FrankaError::Control(exception)) => exception,
        other => panic!("expected a motion that was aborted, found {other:?}"),
    }
}

fn has(emulator: &Emulator, event: &Event) -> bool {
    emulator.log().iter().any(|entry| entry.event == *event)
}

#[test]
fn ten_seconds_of_motion_without_a_reflex() {
    let emulator = emulator();
    let robot = connect(&emulator);
    swing(&robot, 10.0).unwrap();
    let counters = emulator.counters();
    assert!(
        (9_990..=10_010).contains(&counters.commands),
        "{counters:?}"
    );
    assert_eq!(counters.missed, 0);
    assert!(counters.peaks.acceleration < 0.5, "{counters:?}");
    let state = robot.read_once().unwrap();
    assert_eq!(state.robot_mode, RobotMode::Idle);
}

#[test]
fn the_state_tells_what_the_arm_does() {
    let emulator = emulator();
    let robot = connect(&emulator);
    let state = robot.read_once().unwrap();
    let reading = emulator.reading();
    for joint in 0..7 {
        assert!((state.q[joint] - reading.q_rad[joint]).abs() < 1e-6);
    }
    let model = robot.load_model().unwrap();
    let theirs = model.pose(franka::Frame::EndEffector, &state);
    for (told, theirs) in state.O_T_EE.iter().zip(theirs) {
        assert!((told - theirs).abs() < 1e-6);
    }
    assert!(robot.robot_model().unwrap().contains("robot name=\"fr3\""));
}

#[test]
fn states_come_once_a_millisecond_and_count_it() {
    let emulator = Emulator::start(&Config::default()).unwrap();
    let robot = connect(&emulator);
    let begun = Instant::now();
    let before = emulator.counters().cycles;
    let mut last = robot.read_once().unwrap().time;
    for _ in 0..300 {
        let time = robot.read_once().unwrap().time;
        assert!(time > last);
        last = time;
    }
    let cycles = emulator.counters().cycles - before;
    let elapsed_ms = begun.elapsed().as_millis() as u64;
    // A machine that is busy may lose some; none can be made up beyond what may be caught up.
    assert!(
        (300..=elapsed_ms + 60).contains(&cycles),
        "{cycles} in {elapsed_ms} ms"
    );
}

#[test]
fn a_step_is_a_reflex_by_name_and_recovery_clears_it() {
    let emulator = emulator();
    let robot = connect(&emulator);
    let start = robot.read_once().unwrap().q_d;
    let step = robot.control_joint_positions(
        |_: &RobotState, period| {
            let mut q = start;
            q[0] += if period.as_millis() > 0 { 0.05 } else { 0.0 };
            JointPositions::new(q)
        },
        ControllerMode::JointImpedance,
        false,
        franka::MAX_CUTOFF_FREQUENCY,
    );
    let exception = exception(step);
    assert_eq!(exception.move_status, Some(MoveStatus::ReflexAborted));
    let name = ErrorFlag::JOINT_VELOCITY_LIMITS.name();
    assert!(exception.last_motion_errors.get(name), "{exception}");
    assert!(matches!(swing(&robot, 0.1), Err(FrankaError::Command(_))));
    robot.automatic_error_recovery().unwrap();
    swing(&robot, 1.0).unwrap();
    assert!(has(&emulator, &Event::Recovered));
}

#[test]
fn a_stall_of_nineteen_milliseconds_passes_and_one_of_twenty_does_not() {
    let survived = emulator();
    survived.fault_at(500, Fault::Stall { ms: 19 });
    swing(&connect(&survived), 1.0).unwrap();
    assert_eq!(survived.counters().missed, 19);

    let stopped = emulator();
    stopped.fault_at(500, Fault::Stall { ms: 20 });
    let exception = exception(swing(&connect(&stopped), 1.0));
    let name = ErrorFlag::COMMUNICATION.name();
    assert!(exception.last_motion_errors.get(name), "{exception}");
}

#[test]
fn lost_packets_are_counted_and_shown() {
    let emulator = emulator();
    emulator.fault(Fault::Loss {
        states: 0.02,
        commands: 0.02,
    });
    let robot = connect(&emulator);
    let mut lowest = 1.0_f64;
    let mut time = 0.0;
    let start = robot.read_once().unwrap().q_d;
    robot
        .control_joint_positions(
            |state: &RobotState, period| {
                time += period.as_secs_f64();
                lowest = lowest.min(state.control_command_success_rate);
                let output = JointPositions::new(start);
                if time >= 3.0 {
                    motion_finished(output)
                } else {
                    output
                }
            },
            ControllerMode::JointImpedance,
            false,
            franka::MAX_CUTOFF_FREQUENCY,
        )
        .unwrap();
    let counters = emulator.counters();
    assert!((60..200).contains(&counters.missed), "{counters:?}");
    assert!(lowest < 0.99, "{lowest}");
}

#[test]
fn what_is_done_to_the_robot_reaches_the_client() {
    for (fault, status) in [
        (
            Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX),
            MoveStatus::ReflexAborted,
        ),
        (Fault::UserStop(true), MoveStatus::EmergencyAborted),
    ] {
        let emulator = emulator();
        emulator.fault_at(200, fault);
        let exception = exception(swing(&connect(&emulator), 1.0));
        assert_eq!(exception.move_status, Some(status));
    }
    let emulator = emulator();
    emulator.fault_at(200, Fault::Drop);
    let error = swing(&connect(&emulator), 1.0).unwrap_err();
    assert!(matches!(error, FrankaError::Network(_)), "{error:?}");
    // The next client is served, once it has cleared what the silence led to.
    let robot = connect(&emulator);
    assert!(
        robot
            .read_once()
            .unwrap()
            .current_errors
            .get(ErrorFlag::COMMUNICATION.name())
    );
    robot.automatic_error_recovery().unwrap();
    swing(&robot, 0.5).unwrap();
}

#[test]
fn stop_from_another_thread_preempts() {
    let emulator = emulator();
    let robot = connect(&emulator);
    std::thread::scope(|scope| {
        let motion = scope.spawn(|| swing(&robot, 1e6));
        while emulator.counters().commands < 100 {
            std::thread::sleep(Duration::from_millis(1));
        }
        robot.stop().unwrap();
        let exception = exception(motion.join().unwrap());
        assert_eq!(exception.move_status, Some(MoveStatus::Preempted));
    });
}

/// A simulator's arm follows positions, and waits for nobody's client.
#[test]
fn an_arm_on_another_thread_is_moved_by_positions_alone() {
    let reading = ArmReading::at_rest(HOME_Q, 0.08);
    let (arm, mut reins) = RemoteArm::new(reading, 2, true);
    let emulator = Emulator::start_with(&lockstep(), Box::new(arm)).unwrap();
    let simulator = thread::spawn(move || {
        while let Some(setpoints) = reins.take(Duration::from_secs(5)) {
            let last = setpoints[setpoints.len() - 1];
            reins.done(ArmReading::at_rest(last.q_rad, last.gripper_width_m));
        }
    });
    let robot = connect(&emulator);
    swing(&robot, 0.5).unwrap();
    let away = emulator.reading().q_rad[3] - HOME_Q[3];
    assert!((away - 0.1).abs() < 1e-3, "{away}");
    let refused = robot.control_torques(
        |_: &RobotState, _| motion_finished(Torques::new([0.0; 7])),
        true,
        franka::DEFAULT_CUTOFF_FREQUENCY,
    );
    assert!(refused.is_err());
    assert_eq!(emulator.counters().missed, 0);
    drop((robot, emulator));
    simulator.join().unwrap();
}

#[test]
fn rates_and_torques_are_taken_too() {
    let emulator = emulator();
    let robot = connect(&emulator);
    let mut time = 0.0;
    robot
        .control_joint_velocities(
            |_: &RobotState, period| {
                time += period.as_secs_f64();
                let mut dq = [0.0; 7];
                dq[6] = 0.2 * (PI * time.min(1.0)).sin().powi(2);
                let output = JointVelocities::new(dq);
                if time >= 1.0 {
                    motion_finished(output)
                } else {
                    output
                }
            },
            ControllerMode::JointImpedance,
            true,
            franka::DEFAULT_CUTOFF_FREQUENCY,
        )
        .unwrap();
    assert!(emulator.counters().peaks.velocity > 0.03);
    let mut time = 0.0;
    robot
        .control_torques(
            |_: &RobotState, period| {
                time += period.as_secs_f64();
                let output = Torques::new([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3]);
                if time >= 0.5 {
                    motion_finished(output)
                } else {
                    output
                }
            },
            true,
            franka::DEFAULT_CUTOFF_FREQUENCY,
        )
        .unwrap();
}

#[test]
fn settings_are_taken_and_nonsense_is_refused() {
    let emulator = emulator();
    let robot = connect(&emulator);
    robot.set_joint_impedance([3000.0; 7]).unwrap();
    robot.set_load(0.5, [0.0, 0.0, 0.05], [0.0; 9]).unwrap();
    // A state from before may still be on its way.
    let told = (0..10).any(|_| (robot.read_once().unwrap().m_load - 0.5).abs() < 1e-9);
    assert!(told);
    assert!(robot.set_joint_impedance([-1.0; 7]).is_err());
    assert!(has(&emulator, &Event::Set("load")));
}

#[test]
fn another_version_is_turned_away_and_the_panda_speaks_its_own() {
    let fr3 = emulator();
    let older = RobotOptions::new(RealtimeConfig::Ignore)
        .with_version(VersionPolicy::Exact(FciVersion::V5));
    let refused = Robot::with_options(&fr3.address(), older);
    assert!(matches!(
        refused,
        Err(FrankaError::IncompatibleVersion {
            server_version: 10,
            ..
        })
    ));
    assert!(has(&fr3, &Event::TurnedAway { version: 5 }));

    let panda = Emulator::start(&Config {
        version: FciVersion::V5,
        ..lockstep()
    })
    .unwrap();
    let robot = connect(&panda);
    assert_eq!(robot.fci_version(), FciVersion::V5);
    swing(&robot, 2.0).unwrap();
    panda.fault_at(100, Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    let exception = exception(swing(&robot, 1.0));
    assert_eq!(exception.move_status, Some(MoveStatus::ReflexAborted));
    robot.automatic_error_recovery().unwrap();
}

#[test]
fn the_hand_homes_moves_and_grasps() {
    let emulator = Emulator::start(&Config {
        object_m: 0.03,
        ..lockstep()
    })
    .unwrap();
    let hand = Gripper::new(&emulator.gripper_address()).unwrap();
    assert!(hand.homing().unwrap());
    let state = hand.read_once().unwrap();
    assert!((state.max_width - 0.08).abs() < 1e-9 && !state.is_grasped);
    assert!(hand.move_gripper(0.05, 0.2).unwrap());
    assert!(hand.grasp(0.0, 0.2, 20.0, 0.08, 0.08).unwrap());
    let state = hand.read_once().unwrap();
    assert!(
        state.is_grasped && (state.width - 0.03).abs() < 1e-6,
        "{state:?}"
    );
    assert!(
        !hand.move_gripper(0.0, 0.2).unwrap(),
        "something is in between"
    );
    assert!(hand.move_gripper(0.5, 0.2).is_err());
    assert!(hand.stop().unwrap());
}
