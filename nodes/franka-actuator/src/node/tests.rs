use tiller_messages::{ActionChunk, ArmCommand, RobotState, SafetyEvent};
use tiller_motion::kinematics::{HOME_Q, forward};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};

use super::{ESSENTIAL, run};
use crate::config::Settings;

const STATE_NS: u64 = 20_000_000;

fn state(seq: u64) -> RobotState {
    RobotState {
        seq,
        stamp_ns: seq * STATE_NS,
        q_rad: HOME_Q,
        gripper_width_m: 0.08,
        ..Default::default()
    }
}

fn chunk(seq: u64, stamp_ns: u64) -> ActionChunk {
    ActionChunk {
        seq,
        stamp_ns,
        anchor_position_m: forward(&HOME_Q).position_m,
        rate_hz: 10.0,
        execute_steps: 8,
        horizon: 16,
        action_dim: 4,
        actions: [0.0, 0.02, 0.0, -1.0].repeat(16),
        position_columns: [0, 1, 2],
        gripper_column: Some(3),
        delta: true,
        ..Default::default()
    }
}

fn drive(script: Script) -> Sent {
    let settings = Settings::read(Environment::from_pairs([])).unwrap();
    let (result, sent) = script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    sent
}

#[test]
fn each_state_is_answered_once_with_twenty_setpoints() {
    let script = Script::new(ESSENTIAL)
        .message("robot_state", &state(1))
        .message("robot_state", &state(2))
        .closed("robot_state");
    let commands = drive(script).messages::<ArmCommand>("arm_command").unwrap();
    assert_eq!(commands.iter().map(|c| c.seq).collect::<Vec<_>>(), [1, 2]);
    for command in &commands {
        assert_eq!(command.setpoints().len(), 20);
        assert!(command.holding);
        assert!(
            command.setpoints().all(|q| q == HOME_Q),
            "without a chunk the arm holds still"
        );
    }
    assert_eq!(commands[1].stamp_ns, 2 * STATE_NS);
}

#[test]
fn a_repeated_state_gets_the_same_setpoints_again() {
    let again = RobotState { seq: 3, ..state(2) };
    let script = Script::new(ESSENTIAL)
        .message("robot_state", &state(1))
        .message("action_chunk", &chunk(1, STATE_NS))
        .message("robot_state", &state(2))
        .message("robot_state", &again)
        .closed("robot_state");
    let commands = drive(script).messages::<ArmCommand>("arm_command").unwrap();
    assert_eq!(commands.len(), 3);
    assert_eq!(commands[1].q_rad, commands[2].q_rad);
    assert_eq!(commands[2].seq, commands[1].seq + 1);
    assert_eq!((commands[2].chunk_seq, commands[2].holding), (1, false));
    assert_ne!(
        commands[0].q_rad, commands[1].q_rad,
        "the chunk moves the arm"
    );
}

#[test]
fn bad_chunks_are_refused_and_reported() {
    let sick = ActionChunk {
        actions: vec![f32::NAN; 64],
        ..chunk(1, STATE_NS)
    };
    let script = Script::new(ESSENTIAL)
        .message("robot_state", &state(400))
        .message("action_chunk", &sick)
        .message("action_chunk", &chunk(2, STATE_NS))
        .message("robot_state", &state(401))
        .closed("robot_state");
    let sent = drive(script);
    let events = sent.messages::<SafetyEvent>("safety_event").unwrap();
    let kinds: Vec<_> = events.iter().map(|e| (e.seq, e.kind.as_str())).collect();
    assert_eq!(kinds, [(1, "not_finite"), (2, "stale")]);
    let commands = sent.messages::<ArmCommand>("arm_command").unwrap();
    assert!(commands[1].holding && commands[1].chunk_seq == 0);
}

#[test]
fn when_the_sampler_ends_the_arm_is_brought_to_rest_and_the_node_ends() {
    let mut script = Script::new(ESSENTIAL)
        .gap(0.002)
        .message("robot_state", &state(1));
    script = script.message("action_chunk", &chunk(1, STATE_NS));
    for seq in 2..12 {
        script = script.message("robot_state", &state(seq));
    }
    script = script.closed("action_chunk");
    for seq in 12..60 {
        script = script.message("robot_state", &state(seq));
    }
    let sent = drive(script);
    let commands = sent.messages::<ArmCommand>("arm_command").unwrap();
    assert!(
        commands.len() < 58,
        "it does not wait for the states to end"
    );
    let last = commands.last().unwrap();
    let setpoints: Vec<_> = last.setpoints().collect();
    assert_eq!(setpoints[18], setpoints[19], "the arm stands still");
    assert_ne!(setpoints[19], HOME_Q, "it had moved");
    let events = sent.messages::<SafetyEvent>("safety_event").unwrap();
    assert!(
        events.iter().any(|e| e.kind == "stop_requested"),
        "{events:?}"
    );
}

#[test]
fn a_stop_message_stops_and_later_chunks_are_refused() {
    let script = Script::new(ESSENTIAL)
        .message("robot_state", &state(1))
        .message("stop", &SafetyEvent::default())
        .message("robot_state", &state(2))
        .message("action_chunk", &chunk(1, 2 * STATE_NS))
        .message("robot_state", &state(3))
        .closed("robot_state");
    let sent = drive(script);
    let commands = sent.messages::<ArmCommand>("arm_command").unwrap();
    assert!(commands[2].holding && commands[2].chunk_seq == 0);
    assert_eq!(
        sent.messages::<SafetyEvent>("safety_event").unwrap().len(),
        2
    );
}
