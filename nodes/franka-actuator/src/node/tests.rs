use tiller_core::{ActionLayout, Pose};
use tiller_messages::{
    ActionChunk, ArmCommand, ArmState, ExecutionMode, ExecutionState, Order, SafetyEvent, Status,
};
use tiller_motion::kinematics::{HOME_Q, forward};
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};

use super::{ESSENTIAL, run};
use crate::config::Settings;

mod damages;
mod driven;
mod fci;
mod osc;

const STATE_NS: u64 = 20_000_000;

/// A state of an arm that stands at home, whatever it is told.
fn state(seq: u64) -> ArmState {
    ArmState {
        seq,
        stamp_ns: seq * STATE_NS,
        q_rad: HOME_Q,
        tcp: home(),
        gripper_width_m: 0.08,
        ..Default::default()
    }
}

fn home() -> Pose {
    forward(&HOME_Q)
}

fn chunk(seq: u64, stamp_ns: u64) -> ActionChunk {
    ActionChunk {
        seq,
        stamp_ns,
        anchor: home(),
        anchor_q_rad: HOME_Q,
        execute_steps: 8,
        horizon: 16,
        actions: [0.0, 0.02, 0.0, -1.0].repeat(16),
        layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
        ..Default::default()
    }
}

fn try_drive(script: Script) -> (eyre::Result<()>, Sent) {
    let settings = Settings::read(Environment::from_pairs([])).unwrap();
    script
        .run(|inbox, outbox| run(settings, inbox, outbox))
        .expect("the harness works")
}

fn drive(script: Script) -> Sent {
    let (result, sent) = try_drive(script);
    result.unwrap();
    sent
}

fn commands(sent: &Sent) -> Vec<ArmCommand> {
    sent.messages("arm_command").unwrap()
}

fn executions(sent: &Sent) -> Vec<ExecutionState> {
    sent.messages("execution_state").unwrap()
}

/// Whether it has been in these modes, one after the other; others may lie between.
fn has_been(modes: &'static [ExecutionMode]) -> impl FnMut(&Sent) -> bool {
    let (mut read, mut left) = (0, modes.iter().peekable());
    move |sent| {
        let new: Vec<ExecutionState> = sent.messages_after("execution_state", read).unwrap();
        read += new.len();
        for state in new {
            left.next_if(|mode| **mode == state.mode);
        }
        left.peek().is_none()
    }
}

/// The newest state of the arm.
fn newest(sent: &Sent) -> Option<ArmState> {
    let count = sent.count("arm_state");
    let last = sent.messages_after("arm_state", count.saturating_sub(1));
    last.unwrap().pop()
}

/// Whether a chunk has been executed and the arm stands still after it.
fn has_come_to_rest() -> impl FnMut(&Sent) -> bool {
    let mut is_over = has_been(&[ExecutionMode::Executing, ExecutionMode::Holding]);
    move |sent| {
        let rests = |arm: ArmState| arm.dq_rad_s.iter().all(|speed| speed.abs() < 1e-4);
        is_over(sent) && newest(sent).is_some_and(rests)
    }
}

fn events(sent: &Sent) -> Vec<SafetyEvent> {
    sent.messages("safety_event").unwrap()
}

#[test]
fn each_state_is_answered_once_with_twenty_setpoints() {
    let script = Script::new(ESSENTIAL)
        .message("sim_arm_state", &state(1))
        .message("sim_arm_state", &state(2))
        .closed("sim_arm_state");
    let sent = drive(script);
    let commands = commands(&sent);
    // The last one is the way to rest, which is short here.
    assert_eq!(
        commands.iter().map(|c| c.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(commands[2].setpoints().all(|q| q == HOME_Q));
    for command in &commands[..2] {
        assert_eq!(command.setpoints().len(), 20);
        assert!(
            command.setpoints().all(|q| q == HOME_Q),
            "without a chunk the arm holds still"
        );
    }
    assert_eq!(commands[1].stamp_ns, 2 * STATE_NS);
    let executions = executions(&sent);
    assert_eq!(executions.len(), 2);
    for execution in &executions {
        assert_eq!(execution.mode, ExecutionMode::Ready);
        assert_eq!(execution.chunk_seq, 0);
        assert!(execution.anchor.is_valid());
    }
}

#[test]
fn what_was_measured_is_passed_on_with_numbers_of_its_own() {
    let measured = ArmState {
        session: 7,
        dq_rad_s: [0.01; 7],
        ..state(40)
    };
    let script = Script::new(ESSENTIAL)
        .message("sim_arm_state", &measured)
        .closed("sim_arm_state");
    let states = drive(script).messages::<ArmState>("arm_state").unwrap();
    assert_eq!((states.len(), states[0].seq), (1, 1));
    assert_ne!(
        states[0].session, 7,
        "the actuator speaks, not the simulator"
    );
    let expected = ArmState {
        session: states[0].session,
        seq: 1,
        ..measured
    };
    assert_eq!(states[0], expected);
}

#[test]
fn a_repeated_state_gets_the_same_setpoints_again() {
    let again = ArmState { seq: 3, ..state(2) };
    let script = Script::new(ESSENTIAL)
        .message("sim_arm_state", &state(1))
        .message("action_chunk", &chunk(1, STATE_NS))
        .message("sim_arm_state", &state(2))
        .message("sim_arm_state", &again)
        .closed("sim_arm_state");
    let sent = drive(script);
    let commands = commands(&sent);
    assert_eq!(commands[1].q_rad, commands[2].q_rad);
    assert_eq!(commands[2].stamp_ns, commands[1].stamp_ns);
    assert_eq!(commands[2].seq, commands[1].seq + 1);
    let executions = executions(&sent);
    assert_eq!(executions[1].chunk_seq, 1);
    assert_eq!(executions[1].mode, ExecutionMode::Executing);
    assert_eq!(executions[2].chunk_seq, 1);
    assert_ne!(
        commands[0].q_rad, commands[1].q_rad,
        "the chunk moves the arm"
    );
}

#[test]
fn bad_chunks_are_refused_and_reported_and_the_sampler_hears_of_it() {
    let sick = ActionChunk {
        actions: vec![f32::NAN; 64],
        ..chunk(1, STATE_NS)
    };
    let script = Script::new(ESSENTIAL)
        .message("sim_arm_state", &state(400))
        .message("action_chunk", &sick)
        .message("action_chunk", &chunk(2, STATE_NS))
        .message("sim_arm_state", &state(401))
        .closed("sim_arm_state");
    let sent = drive(script);
    let events = events(&sent);
    let kinds: Vec<_> = events.iter().map(|e| (e.seq, e.kind.as_str())).collect();
    assert_eq!(kinds[..2], [(1, "not_finite"), (2, "stale")]);
    let executions = executions(&sent);
    assert_eq!(executions[1].mode, ExecutionMode::Ready);
    assert_eq!(executions[1].chunk_seq, 0);
    assert_eq!(executions[1].refused_seq, 2, "the newest of them");
}

#[test]
fn when_the_sampler_ends_the_arm_is_brought_to_rest_and_the_node_ends() {
    let mut script = Script::new(ESSENTIAL)
        .gap(0.002)
        .message("sim_arm_state", &state(1));
    script = script.message("action_chunk", &chunk(1, STATE_NS));
    for seq in 2..12 {
        script = script.message("sim_arm_state", &state(seq));
    }
    script = script.closed("action_chunk");
    for seq in 12..60 {
        script = script.message("sim_arm_state", &state(seq));
    }
    let sent = drive(script);
    let commands = commands(&sent);
    assert!(
        commands.len() < 58,
        "it does not wait for the states to end"
    );
    let last = commands.last().unwrap();
    let setpoints: Vec<_> = last.setpoints().collect();
    assert_eq!(setpoints[18], setpoints[19], "the arm stands still");
    assert_ne!(setpoints[19], HOME_Q, "it had moved");
    let events = events(&sent);
    assert!(
        events.iter().any(|e| e.kind == "stop_requested"),
        "{events:?}"
    );
}

#[test]
fn a_pause_by_an_order_is_acknowledged_refuses_chunks_and_ends_with_resume() {
    let order = |seq, id| Order {
        session: 1,
        seq,
        id,
        reason: "a look".to_owned(),
    };
    let script = Script::new(ESSENTIAL)
        .message("sim_arm_state", &state(1))
        .message("pause", &order(1, 41))
        .message("sim_arm_state", &state(2))
        .message("action_chunk", &chunk(1, 2 * STATE_NS))
        .message("sim_arm_state", &state(3))
        .message("resume", &order(1, 42))
        .message("sim_arm_state", &state(4))
        .message("action_chunk", &chunk(2, 4 * STATE_NS))
        .message("sim_arm_state", &state(5))
        .closed("sim_arm_state");
    let sent = drive(script);
    let executions = executions(&sent);
    let told: Vec<_> = executions.iter().map(|it| (it.mode, it.order)).collect();
    let expected = [
        (ExecutionMode::Ready, 0),
        (ExecutionMode::Stopping, 41),
        (ExecutionMode::Paused, 41),
        (ExecutionMode::Ready, 42),
        (ExecutionMode::Executing, 42),
    ];
    assert_eq!(told, expected);
    let events = events(&sent);
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds[..3], ["pause_requested", "paused", "resumed"]);
    assert!(events[0].text.contains("a look"), "{}", events[0].text);
}

#[test]
fn a_stop_message_stops_later_chunks_are_refused_and_resume_allows_them_again() {
    let script = Script::new(ESSENTIAL)
        .message("sim_arm_state", &state(1))
        .message("stop", &SafetyEvent::default())
        .message("sim_arm_state", &state(2))
        .message("action_chunk", &chunk(1, 2 * STATE_NS))
        .message("sim_arm_state", &state(3))
        .message("resume", &SafetyEvent::default())
        .message("sim_arm_state", &state(4))
        .message("action_chunk", &chunk(2, 4 * STATE_NS))
        .message("sim_arm_state", &state(5))
        .closed("sim_arm_state");
    let sent = drive(script);
    let executions = executions(&sent);
    assert_eq!(executions[2].mode, ExecutionMode::Stopped);
    assert_eq!(executions[2].chunk_seq, 0);
    assert_eq!(executions[4].mode, ExecutionMode::Executing);
    assert_eq!(executions[4].chunk_seq, 2);
    let events = events(&sent);
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds[..3],
        ["stop_requested", "not_accepting", "resumed"],
        "{kinds:?}"
    );
    assert!(events[0].text.contains("`resume`"), "{}", events[0].text);
}

#[test]
fn who_ends_in_motion_sends_the_whole_way_to_rest_first() {
    let mut script = Script::new(ESSENTIAL)
        .gap(0.002)
        .message("sim_arm_state", &state(1))
        .message("action_chunk", &chunk(1, STATE_NS));
    for seq in 2..12 {
        script = script.message("sim_arm_state", &state(seq));
    }
    let sent = drive(script.stop());
    let commands = commands(&sent);
    let (last, before) = (&commands[commands.len() - 1], &commands[commands.len() - 2]);
    assert!(last.setpoints().len() > 20, "more than one period");
    assert_eq!(last.stamp_ns, before.stamp_ns + STATE_NS);
    let setpoints: Vec<_> = last.setpoints().collect();
    assert_eq!(
        setpoints[setpoints.len() - 2],
        setpoints[setpoints.len() - 1]
    );
    damages::check_setpoints(&sent).unwrap();
    let statuses = sent.messages::<Status>("status").unwrap();
    assert!(
        statuses.iter().any(|status| status.code == "at_rest"),
        "{statuses:?}"
    );
}

#[test]
fn without_states_it_says_what_it_waits_for() {
    let mut script = Script::new(ESSENTIAL).gap(0.1);
    for _ in 0..12 {
        script = script.message("resume", &SafetyEvent::default());
    }
    let statuses = drive(script.closed("sim_arm_state"));
    let statuses = statuses.messages::<Status>("status").unwrap();
    assert_eq!(statuses.len(), 1, "{statuses:?}");
    assert_eq!(statuses[0].code, "waiting");
    assert!(
        statuses[0].text.contains("sim_arm_state"),
        "{}",
        statuses[0].text
    );
}

#[test]
fn another_episode_starts_where_the_world_has_put_the_arm() {
    let moved = std::array::from_fn(|joint| HOME_Q[joint] + if joint == 0 { 0.3 } else { 0.0 });
    let next = ArmState {
        episode: tiller_core::EpisodeId(2),
        q_rad: moved,
        tcp: forward(&moved),
        ..state(9)
    };
    let first = |seq| ArmState {
        episode: tiller_core::EpisodeId(1),
        ..state(seq)
    };
    let late = ActionChunk {
        episode: tiller_core::EpisodeId(1),
        ..chunk(2, 9 * STATE_NS)
    };
    let script = Script::new(ESSENTIAL)
        .message("sim_arm_state", &first(1))
        .message("sim_arm_state", &first(2))
        .message("sim_arm_state", &next)
        .message("action_chunk", &late)
        .closed("sim_arm_state");
    let sent = drive(script);
    let commands = commands(&sent);
    assert!(commands[2].setpoints().all(|q| q == moved));
    let kinds: Vec<_> = events(&sent).into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[0], "other_episode");
}

#[test]
fn an_unknown_input_is_a_mistake_at_the_start() {
    let (result, _) = try_drive(Script::new(ESSENTIAL).wired(&["wrench"]).stop());
    let error = result.unwrap_err().to_string();
    assert!(error.contains("found `wrench`"), "{error}");
}
