//! An arm whose own controller takes steps of the tool, which is emulated.

use std::sync::Arc;

use tiller_core::EpisodeId;
use tiller_messages::Episode;
use tiller_node_kit::robot_clock_ns;
use tiller_osc::emulator::{Config, Emulator};
use tiller_osc::wire::Fault;

use super::*;

fn drive_with(emulator: &Emulator, more: &[(&'static str, &'static str)], script: Script) -> Sent {
    let address = emulator.address();
    let mut pairs = std::collections::BTreeMap::from([
        ("ARM", "osc"),
        ("OSC_ADDRESS", address.as_str()),
        ("ARMING", "off"),
        ("MAX_CHUNK_AGE_MS", "60000"),
    ]);
    pairs.extend(more.iter().copied());
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    let (result, sent) = script
        .run(|inbox, outbox| run(settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    sent
}

fn begun() -> Script {
    let episode = Episode {
        id: EpisodeId(1),
        seq: 1,
        ..Default::default()
    };
    let script = Script::new(ESSENTIAL).message("episode", &episode);
    script.until("episode", |sent| newest(sent).is_some())
}

fn told_to_move() -> Script {
    let chunk = ActionChunk {
        episode: EpisodeId(1),
        ..chunk(1, robot_clock_ns())
    };
    begun().message("action_chunk", &chunk)
}

/// One whose chunk is executed to its end.
fn moved() -> Script {
    told_to_move().until("episode", has_come_to_rest()).stop()
}

#[test]
fn a_chunk_moves_an_arm_whose_states_come_twenty_times_a_second() {
    let emulator = Emulator::start(&Config::default()).unwrap();
    let sent = drive_with(&emulator, &[], moved());
    let states: Vec<ArmState> = sent.messages("arm_state").unwrap();
    let last = states.last().unwrap();
    let moved_m = last.tcp.position_m[1] - home().position_m[1];
    let told = events(&sent);
    assert!((moved_m - 0.16).abs() < 3e-3, "{moved_m}: {told:?}");
    // Between two states none is missed, and no round takes too long.
    let is_harmless = |event: &SafetyEvent| {
        // A busy machine may be late, and it is told to stop in the end.
        ["arm_missed", "stop_requested"].contains(&event.kind.as_str())
    };
    assert!(told.iter().all(is_harmless), "{told:?}");
    assert_eq!(emulator.refused(), 0);
    // Each state is told of, with the time at which it came.
    let are_later = states.is_sorted_by(|one, next| one.stamp_ns < next.stamp_ns);
    assert!(are_later && states.len() > 16, "{states:?}");
}

#[test]
fn what_the_controller_takes_no_more_of_is_told() {
    // One that comes a tenth of the way in a period is asked for more than one of a third.
    let emulator = Emulator::start(&Config {
        share: 0.1,
        ..Config::default()
    })
    .unwrap();
    let sent = drive_with(&emulator, &[("OPERATING_SHARE", "0.8")], moved());
    let told = events(&sent);
    let short = told.iter().find(|event| event.kind == "step_shortened");
    let short = short.expect("a step was shortened");
    assert_eq!(short.quantity.as_deref(), Some("step_m"));
    assert_eq!(short.limit, Some(0.05));
    assert!(
        short.value.unwrap() > 0.05 && short.chunk_seq == Some(1),
        "{short:?}"
    );
    assert!(
        short.text.contains("controller takes no more"),
        "{}",
        short.text
    );
    assert_eq!(emulator.refused(), 0);
}

/// While the arm moves, once, `what` happens to it.
fn in_motion(what: impl Fn() + 'static) -> impl FnMut(&Sent) -> bool {
    let mut moves = has_been(&[ExecutionMode::Executing]);
    move |sent| {
        let is_moving = moves(sent);
        if is_moving {
            what();
        }
        is_moving
    }
}

#[test]
fn a_stop_by_the_arm_itself_is_told_and_resumed_from_once_it_is_over() {
    let emulator = Arc::new(Emulator::start(&Config::default()).unwrap());
    let (stopped, cleared) = (Arc::clone(&emulator), Arc::clone(&emulator));
    let mut has_stopped = has_been(&[ExecutionMode::Fault]);
    let script = told_to_move()
        .until("episode", in_motion(move || stopped.fault(Fault::Reflex)))
        .until("episode", move |sent| {
            let is_fault = has_stopped(sent);
            if is_fault {
                cleared.fault(Fault::None);
            }
            is_fault
        })
        .message("resume", &SafetyEvent::default())
        .until(
            "episode",
            has_been(&[ExecutionMode::Fault, ExecutionMode::Ready]),
        )
        .stop();
    let sent = drive_with(&emulator, &[], script);
    let told = events(&sent);
    let failed = told.iter().find(|event| event.kind == "arm_failed");
    let text = &failed.expect("it is told").text;
    assert!(text.contains("stopped by itself"), "{text}");
    let statuses: Vec<Status> = sent.messages("status").unwrap();
    assert!(statuses.iter().any(|status| status.code == "recovered"));
}

#[test]
fn a_controller_that_falls_silent_is_a_lost_connection_that_resume_makes_anew() {
    let emulator = Arc::new(Emulator::start(&Config::default()).unwrap());
    let (silent, speaking) = (Arc::clone(&emulator), Arc::clone(&emulator));
    let mut has_failed = has_been(&[ExecutionMode::Fault]);
    let script = told_to_move()
        .until("episode", in_motion(move || silent.silence(true)))
        .until("episode", move |sent| {
            let is_fault = has_failed(sent);
            if is_fault {
                speaking.silence(false);
            }
            is_fault
        })
        .message("resume", &SafetyEvent::default())
        .until(
            "episode",
            has_been(&[ExecutionMode::Fault, ExecutionMode::Ready]),
        )
        .stop();
    let sent = drive_with(&emulator, &[], script);
    let told = events(&sent);
    let is_silence = |event: &&SafetyEvent| event.text.contains("silent for");
    assert!(told.iter().any(|event| is_silence(&event)), "{told:?}");
}

#[test]
fn nothing_reaches_the_controller_before_it_is_armed_nor_in_a_dry_run() {
    for setting in [("ARMING", "required"), ("MOTION", "dry")] {
        let emulator = Emulator::start(&Config::default()).unwrap();
        let script = told_to_move().pause("episode", 0.5).stop();
        let sent = drive_with(&emulator, &[setting], script);
        assert_eq!((emulator.steps(), emulator.last_step()), (0, None));
        let modes = executions(&sent).into_iter().map(|state| state.mode);
        let modes: Vec<_> = modes.collect();
        let executes = modes.contains(&ExecutionMode::Executing);
        assert_eq!(executes, setting.0 == "MOTION", "{modes:?}");
    }
}
