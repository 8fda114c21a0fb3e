use tiller_messages::{ArmCommand, RobotState, TaskStatus};
use tiller_motion::kinematics::HOME_Q;
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};
use tiller_world::Registry;

use super::{ESSENTIAL, run};
use crate::config::Settings;

const STATE_NS: u64 = 20_000_000;

fn command(seq: u64, stamp_ns: u64) -> ArmCommand {
    ArmCommand {
        seq,
        stamp_ns,
        q_rad: HOME_Q.repeat(20),
        gripper_width_m: 0.08,
        chunk_seq: seq,
        ..Default::default()
    }
}

/// A small picture and no pacing, so that the loop depends on the commands alone.
fn drive(more: &[(&str, &str)], script: Script) -> Sent {
    let base = [
        ("IMAGE_SIDE", "32"),
        ("SPEED", "100"),
        ("TASK", "button_press"),
    ];
    let pairs = base.iter().chain(more).copied();
    let worlds = Registry::new().with(tiller_playtable::kind());
    let settings = Settings::read(Environment::from_pairs(pairs), &worlds).unwrap();
    let (result, sent) = script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    sent
}

#[test]
fn each_command_takes_time_one_state_further() {
    let mut script = Script::new(ESSENTIAL).gap(0.02);
    for step in 0..6 {
        script = script.message("arm_command", &command(step + 1, step * STATE_NS));
    }
    let sent = drive(&[], script.closed("arm_command"));
    let states = sent.messages::<RobotState>("robot_state").unwrap();
    let stamps: Vec<_> = states.iter().map(|s| s.stamp_ns / STATE_NS).collect();
    assert_eq!(stamps, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(
        states[6].chunk_seq, 6,
        "the actuator's account is passed on"
    );
    for port in ["image", "depth", "segmentation", "wrist_image"] {
        assert_eq!(sent.count(port), 2, "{port}: at 0 and at 100 ms");
    }
    assert_eq!(sent.images("image")[0].len(), 32 * 32 * 3);
    assert_eq!(sent.images("segmentation")[0].len(), 32 * 32);
}

#[test]
fn a_command_for_another_state_does_not_move_time() {
    let script = Script::new(ESSENTIAL)
        .message("arm_command", &command(1, 5 * STATE_NS))
        .closed("arm_command");
    let sent = drive(&[], script);
    assert_eq!(sent.messages::<RobotState>("robot_state").unwrap().len(), 1);
}

#[test]
fn a_state_without_an_answer_is_sent_again() {
    let mut script = Script::new(ESSENTIAL).gap(0.1);
    // Starting the renderer takes its share of the time on a busy machine.
    for _ in 0..25 {
        script = script.message("tick", &RobotState::default());
    }
    let states = drive(&[], script.closed("arm_command"))
        .messages::<RobotState>("robot_state")
        .unwrap();
    assert!(states.len() > 1, "{} states", states.len());
    for (state, seq) in states.iter().zip(1..) {
        assert_eq!((state.seq, state.stamp_ns), (seq, 0));
    }
}

#[test]
fn the_episode_ends_when_its_time_is_up() {
    let mut script = Script::new(ESSENTIAL).gap(0.02);
    for step in 0..60 {
        script = script.message("arm_command", &command(step + 1, step * STATE_NS));
    }
    let sent = drive(&[("EPISODE_S", "1")], script);
    let statuses = sent.messages::<TaskStatus>("task_status").unwrap();
    let last = statuses.last().unwrap();
    assert!(last.episode_over && !last.success);
    assert_eq!(
        (last.task.as_str(), last.stamp_ns),
        ("button_press", 1_000_000_000)
    );
    assert_eq!(last.reason, "the time is up");
    assert!(
        statuses[..statuses.len() - 1]
            .iter()
            .all(|s| !s.episode_over)
    );
}
