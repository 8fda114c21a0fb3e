//! The robot in virtual time: no socket, no clock.

use franka::wire::robot::v10::MoveControllerMode as Control;
use franka::wire::robot::v10::MoveMotionGeneratorMode as Generate;
use tiller_core::kinematics::HOME_Q;

use super::*;
use crate::arm::KinematicArm;
use crate::log::Entry;

fn robot() -> Robot {
    let arm = KinematicArm::new(FciVersion::V10, HOME_Q, 0.08, 0.0).unwrap();
    Robot::new(FciVersion::V10, Box::new(arm)).unwrap()
}

fn begin(robot: &mut Robot, generator: Generate, controller: Control) -> Answer {
    let request = Request::Move {
        controller: controller.to_u32(),
        generator: generator.to_u32(),
    };
    robot.answer(request, 5).unwrap()
}

fn moving() -> Robot {
    let mut robot = robot();
    let begun = begin(&mut robot, Generate::JointPosition, Control::JointImpedance);
    assert_eq!(begun, Answer::Move(MoveStatus::MotionStarted));
    robot
}

/// The answer to the last state: joints as they are, but for the first.
fn at(robot: &Robot, joint_1: f64) -> Command {
    let state = robot.state();
    let mut q_rad = HOME_Q;
    q_rad[0] = joint_1;
    Command {
        answers: state.number,
        q_rad,
        dq_rad_s: [0.0; 7],
        pose: state.pose_d,
        twist: [0.0; 6],
        torque_nm: [0.0; 7],
        is_last: false,
    }
}

/// Rest to rest over `way` in a second, with the least jerk.
fn smooth(way: f64, tick: u32) -> f64 {
    let t = (f64::from(tick) / 1000.0).min(1.0);
    way * t * t * t * (10.0 - 15.0 * t + 6.0 * t * t)
}

fn step(robot: &mut Robot, joint_1: f64) -> Option<Late> {
    let command = at(robot, joint_1);
    robot.cycle(Some(&command), 0.08)
}

fn mode(robot: &Robot) -> RobotMode {
    RobotMode::from_u8(robot.state().robot_mode).unwrap()
}

fn events(robot: &Robot) -> Vec<Event> {
    let entries = robot.log.since(0).iter();
    entries.map(|Entry { event, .. }| event.clone()).collect()
}

fn over(status: MoveStatus) -> Option<Late> {
    Some(Late {
        request: 5,
        answer: Answer::Move(status),
    })
}

fn aborted_for(flag: ErrorFlag, robot: &Robot, ended: Option<Late>) {
    assert_eq!(ended, over(MoveStatus::ReflexAborted), "{flag}");
    assert_eq!(mode(robot), RobotMode::Reflex);
    assert_eq!(robot.state().errors, flag.alone());
    assert_eq!(robot.state().reflex_reason, flag.alone());
    assert!(events(robot).contains(&Event::Reflex(flag)));
}

#[test]
fn a_smooth_motion_goes_to_its_end() {
    let mut robot = moving();
    for tick in 1..=1000 {
        assert_eq!(step(&mut robot, smooth(0.3, tick)), None);
    }
    let last = Command {
        is_last: true,
        ..at(&robot, 0.3)
    };
    let ended = robot.cycle(Some(&last), 0.08);
    assert_eq!(ended, over(MoveStatus::Success));
    assert_eq!(mode(&robot), RobotMode::Idle);
    assert!((robot.arm().reading().q_rad[0] - 0.3).abs() < 1e-9);
}

#[test]
fn steps_in_position_speed_and_acceleration_are_reflexes() {
    let mut robot = moving();
    let ended = step(&mut robot, 0.5);
    aborted_for(ErrorFlag::JOINT_START_INVALID, &robot, ended);

    let mut robot = moving();
    step(&mut robot, 0.0);
    let ended = step(&mut robot, 0.05);
    aborted_for(ErrorFlag::JOINT_VELOCITY_LIMITS, &robot, ended);

    let mut robot = moving();
    step(&mut robot, 0.0);
    let ended = step(&mut robot, 1e-4);
    aborted_for(ErrorFlag::JOINT_VELOCITY_DISCONTINUITY, &robot, ended);

    let mut robot = moving();
    step(&mut robot, 0.0);
    let ended = step(&mut robot, 8e-6);
    aborted_for(ErrorFlag::JOINT_ACCELERATION_DISCONTINUITY, &robot, ended);
}

#[test]
fn the_end_of_a_joint_s_range_is_a_reflex() {
    let mut robot = moving();
    let mut ended = None;
    // Joint 6 from 1.9 towards 4.53, slower towards the end as the robot demands.
    let mut q_rad = HOME_Q;
    let mut speed: f64 = 0.0;
    for _ in 0..20_000 {
        let most = (2.0 * 2.0 * (4.5205 - q_rad[5]).max(0.0))
            .sqrt()
            .clamp(0.02, 0.5);
        speed += (most - speed).clamp(-0.003, 0.003);
        q_rad[5] += speed * 1e-3;
        let command = Command {
            q_rad,
            ..at(&robot, 0.0)
        };
        ended = robot.cycle(Some(&command), 0.08);
        if ended.is_some() {
            break;
        }
    }
    assert!(ended.is_some(), "never stopped, at {}", q_rad[5]);
    let reasons = [
        ErrorFlag::JOINT_POSITION_LIMITS,
        ErrorFlag::JOINT_VELOCITY_LIMITS,
    ];
    let found = robot.state().errors;
    assert!(reasons.iter().any(|flag| flag.alone() == found));
    assert!(robot.arm().reading().q_rad[5] <= 4.5205);
}

#[test]
fn nineteen_missed_commands_pass_and_twenty_do_not() {
    let mut robot = moving();
    for tick in 1..=300 {
        step(&mut robot, smooth(0.05, tick));
    }
    for _ in 0..19 {
        assert_eq!(robot.cycle(None, 0.08), None);
    }
    assert!((robot.state().success_rate - 0.81).abs() < 1e-9);
    let reached = robot.state().q_d_rad[0];
    // On with the acceleration that it had: nearly where it would have been.
    assert!((reached - smooth(0.05, 319)).abs() < 1e-5, "{reached}");
    let ended = robot.cycle(None, 0.08);
    aborted_for(ErrorFlag::COMMUNICATION, &robot, ended);
}

#[test]
fn a_motion_that_nobody_commands_ends() {
    let mut robot = moving();
    let mut cycles = 0;
    while robot.cycle(None, 0.08).is_none() {
        cycles += 1;
        assert!(cycles < 1000);
    }
    assert_eq!(robot.state().errors, ErrorFlag::COMMUNICATION.alone());
}

#[test]
fn after_a_reflex_the_arm_brakes_and_only_recovery_lets_it_move() {
    let mut robot = moving();
    for tick in 1..=500 {
        step(&mut robot, smooth(0.3, tick));
    }
    let ended = robot.suffer(Trouble::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    aborted_for(ErrorFlag::CARTESIAN_REFLEX, &robot, ended);
    let refused = begin(&mut robot, Generate::JointPosition, Control::JointImpedance);
    let rejected = Answer::Move(MoveStatus::CommandNotPossibleRejected);
    assert_eq!(refused, rejected);
    assert_eq!(
        robot.answer(Request::Recover, 6),
        None,
        "not before it rests"
    );
    let mut recovered = None;
    while recovered.is_none() {
        assert_eq!(mode(&robot), RobotMode::AutomaticErrorRecovery);
        recovered = robot.cycle(None, 0.08);
    }
    assert_eq!(robot.state().dq_d_rad_s, [0.0; 7]);
    let answer = Answer::Recovery(AutomaticErrorRecoveryStatus::Success);
    assert_eq!(recovered, Some(Late { request: 6, answer }));
    assert_eq!(robot.state().errors, [0; 41]);
    let reason = robot.state().reflex_reason;
    assert_eq!(
        reason,
        ErrorFlag::CARTESIAN_REFLEX.alone(),
        "kept for people"
    );
    let begun = begin(&mut robot, Generate::JointPosition, Control::JointImpedance);
    assert_eq!(begun, Answer::Move(MoveStatus::MotionStarted));
}

#[test]
fn recovery_is_refused_where_people_must_look() {
    let mut robot = robot();
    robot.suffer(Trouble::Stuck(true));
    robot.suffer(Trouble::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    let manual = AutomaticErrorRecoveryStatus::ManualErrorRecoveryRequiredRejected;
    let answer = robot.answer(Request::Recover, 1);
    assert_eq!(answer, Some(Answer::Recovery(manual)));
    robot.suffer(Trouble::Stuck(false));
    robot.suffer(Trouble::UserStop(true));
    let impossible = AutomaticErrorRecoveryStatus::CommandNotPossibleRejected;
    let answer = robot.answer(Request::Recover, 2);
    assert_eq!(answer, Some(Answer::Recovery(impossible)));
}

#[test]
fn the_user_stop_ends_a_motion_and_holds_until_it_is_released() {
    let mut robot = moving();
    step(&mut robot, 0.0);
    let ended = robot.suffer(Trouble::UserStop(true));
    assert_eq!(ended, over(MoveStatus::EmergencyAborted));
    assert_eq!(mode(&robot), RobotMode::UserStopped);
    let refused = begin(&mut robot, Generate::JointPosition, Control::JointImpedance);
    assert_eq!(
        refused,
        Answer::Move(MoveStatus::CommandNotPossibleRejected)
    );
    robot.suffer(Trouble::UserStop(false));
    assert_eq!(mode(&robot), RobotMode::Idle);
}

#[test]
fn stop_ends_the_motion_and_does_no_harm_without_one() {
    let mut robot = moving();
    step(&mut robot, 0.0);
    let ended = robot.end(MoveStatus::Preempted);
    assert_eq!(ended, over(MoveStatus::Preempted));
    assert_eq!(robot.end(MoveStatus::Preempted), None);
    let answer = robot.answer(Request::StopMove, 10);
    assert_eq!(answer, Some(Answer::StopMove(StopMoveStatus::Success)));
}

#[test]
fn joint_rates_and_twists_of_the_hand_move_the_arm() {
    let mut robot = robot();
    begin(&mut robot, Generate::JointVelocity, Control::JointImpedance);
    for tick in 1..=1000 {
        let mut command = at(&robot, 0.0);
        command.dq_rad_s[0] = smooth(0.2, tick);
        assert_eq!(robot.cycle(Some(&command), 0.08), None);
    }
    assert!((robot.arm().reading().q_rad[0] - 0.1).abs() < 1e-3);
    robot.end(MoveStatus::Preempted);
    for _ in 0..200 {
        robot.cycle(None, 0.08);
    }
    let before = forward(&robot.arm().reading().q_rad).position();
    begin(
        &mut robot,
        Generate::CartesianVelocity,
        Control::CartesianImpedance,
    );
    for tick in 1..=1000 {
        let mut command = at(&robot, 0.0);
        command.twist[2] = smooth(0.1, tick);
        assert_eq!(robot.cycle(Some(&command), 0.08), None);
    }
    let way = forward(&robot.arm().reading().q_rad).position() - before;
    assert!((way.z - 0.05).abs() < 1e-3, "{way}");
    assert!(way.xy().norm() < 1e-6, "{way}");
    assert!((robot.state().twist_c[2] - 0.1).abs() < 1e-9);
}

#[test]
fn torques_move_the_arm_and_may_not_jump() {
    let mut robot = robot();
    let begun = begin(&mut robot, Generate::None, Control::ExternalController);
    assert_eq!(begun, Answer::Move(MoveStatus::MotionStarted));
    for tick in 1..=300 {
        let mut command = at(&robot, 0.0);
        command.torque_nm[0] = smooth(5.0, tick);
        assert_eq!(robot.cycle(Some(&command), 0.08), None);
    }
    assert!(robot.arm().reading().q_rad[0] > 1e-3);
    let mut command = at(&robot, 0.0);
    command.torque_nm[0] = 50.0;
    let ended = robot.cycle(Some(&command), 0.08);
    aborted_for(ErrorFlag::TORQUE_DISCONTINUITY, &robot, ended);
}

#[test]
fn what_is_set_shows_in_the_state_and_nonsense_is_refused() {
    let mut robot = robot();
    let mut tool = frames::IDENTITY;
    tool[14] = 0.05;
    let set = |robot: &mut Robot, setting| robot.answer(Request::Set(setting), 1).unwrap();
    let before = robot.state().pose;
    let success = Answer::Set(GetterSetterStatus::Success);
    assert_eq!(set(&mut robot, Setting::EndEffector(tool)), success);
    let moved: f64 = (12..15)
        .map(|at| (robot.state().pose[at] - before[at]).powi(2))
        .sum();
    assert!((moved.sqrt() - 0.05).abs() < 1e-12);
    let invalid = Answer::Set(GetterSetterStatus::InvalidArgumentRejected);
    tool[0] = 3.0;
    assert_eq!(set(&mut robot, Setting::EndEffector(tool)), invalid);
    assert_eq!(set(&mut robot, Setting::JointStiffness([-1.0; 7])), invalid);
    assert_eq!(set(&mut robot, Setting::Collision(vec![20.0; 3])), invalid);
    begin(&mut robot, Generate::JointPosition, Control::JointImpedance);
    let stiffness = Setting::JointStiffness([3000.0; 7]);
    let refused = Answer::Set(GetterSetterStatus::CommandNotPossibleRejected);
    assert_eq!(set(&mut robot, stiffness), refused);
    assert_eq!(set(&mut robot, Setting::Collision(vec![20.0; 52])), success);
}

#[test]
fn the_same_again_gives_the_same_bits() {
    let run = || {
        let mut robot = moving();
        for tick in 1..=700 {
            if tick % 13 == 0 {
                robot.cycle(None, 0.08);
            } else {
                step(&mut robot, smooth(0.02, tick));
            }
        }
        robot.state()
    };
    assert_eq!(run(), run());
}
