//! An arm with a driver, on its thread and in real time.

use tiller_core::EpisodeId;
use tiller_messages::Episode;
use tiller_node_kit::robot_clock_ns;

use super::*;

fn drive_dry(script: Script) -> Sent {
    let pairs = [("ARM", "dry-run"), ("MAX_CHUNK_AGE_MS", "60000")];
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    let (result, sent) = script
        .run(|inbox, outbox| run(settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    sent
}

fn episode() -> Episode {
    Episode {
        id: EpisodeId(1),
        seq: 1,
        ..Default::default()
    }
}

#[test]
fn a_chunk_moves_an_arm_that_keeps_its_own_time() {
    let chunk = ActionChunk {
        episode: EpisodeId(1),
        ..chunk(1, robot_clock_ns())
    };
    let script = Script::new(ESSENTIAL)
        .message("episode", &episode())
        .pause("episode", 0.2)
        .message("action_chunk", &chunk)
        .until("action_chunk", has_come_to_rest())
        .stop();
    let sent = drive_dry(script);
    assert_eq!(commands(&sent).len(), 0, "the driver has them");
    let states: Vec<ArmState> = sent.messages("arm_state").unwrap();
    let last = states.last().unwrap();
    let moved_m = last.tcp.position_m[1] - home().position_m[1];
    let told: Vec<String> = events(&sent).into_iter().map(|event| event.text).collect();
    let age_ns = robot_clock_ns().abs_diff(last.stamp_ns);
    assert!(
        age_ns < 10_000_000_000,
        "the clock of the cameras: {age_ns}"
    );
    let count = states.len();
    assert!(
        (moved_m - 0.16).abs() < 2e-3,
        "{moved_m} in {count} states: {told:?}"
    );
    assert!(
        states
            .windows(2)
            .all(|two| two[0].stamp_ns < two[1].stamp_ns)
    );
    let executions = executions(&sent);
    assert!(
        executions
            .iter()
            .any(|state| state.mode == ExecutionMode::Executing)
    );
    assert_eq!(executions.last().unwrap().mode, ExecutionMode::Stopped);
    assert_eq!(executions.last().unwrap().episode, EpisodeId(1));
}

#[test]
fn the_end_of_the_chunks_brings_it_to_rest() {
    let script = Script::new(ESSENTIAL)
        .message("episode", &episode())
        .pause("episode", 0.1)
        .message(
            "action_chunk",
            &ActionChunk {
                episode: EpisodeId(1),
                ..chunk(1, robot_clock_ns())
            },
        )
        .until("action_chunk", has_been(&[ExecutionMode::Executing]))
        .closed("action_chunk")
        .until("episode", has_been(&[ExecutionMode::Stopped]))
        .pause("episode", 0.2);
    let sent = drive_dry(script);
    let executions = executions(&sent);
    assert_eq!(executions.last().unwrap().mode, ExecutionMode::Stopped);
    let statuses: Vec<Status> = sent.messages("status").unwrap();
    assert!(statuses.iter().any(|status| status.code == "at_rest"));
    let kinds: Vec<String> = events(&sent).into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&"stop_requested".to_owned()), "{kinds:?}");
}
