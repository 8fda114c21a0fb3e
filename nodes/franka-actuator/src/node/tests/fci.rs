//! A Franka over its control interface, which is emulated.

use tiller_core::EpisodeId;
use tiller_fci_emulator::{Clock, Config, Emulator, ErrorFlag, Event, Fault};
use tiller_messages::Episode;
use tiller_node_kit::robot_clock_ns;

use super::*;

fn emulator() -> Emulator {
    Emulator::start(&Config {
        clock: Clock::Lockstep,
        ..Config::default()
    })
    .unwrap()
}

fn drive_franka(emulator: &Emulator, script: Script) -> Sent {
    let (robot, hand) = (emulator.address(), emulator.gripper_address());
    let pairs = [
        ("ARM", "fci"),
        ("FRANKA_ADDRESS", robot.as_str()),
        ("FRANKA_HAND_ADDRESS", hand.as_str()),
        ("REAL_TIME", "without"),
        ("MAX_CHUNK_AGE_MS", "60000"),
    ];
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    let (result, sent) = script
        .run(|inbox, outbox| run(settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    sent
}

fn in_episode(chunk: ActionChunk) -> ActionChunk {
    ActionChunk {
        episode: EpisodeId(1),
        ..chunk
    }
}

fn begun() -> Script {
    let episode = Episode {
        id: EpisodeId(1),
        seq: 1,
        ..Default::default()
    };
    Script::new(ESSENTIAL)
        .message("episode", &episode)
        .pause("episode", 0.2)
}

fn kinds(sent: &Sent) -> Vec<String> {
    events(sent).into_iter().map(|event| event.kind).collect()
}

#[test]
fn a_chunk_moves_a_franka_and_its_hand() {
    let emulator = emulator();
    let script = begun()
        .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
        .pause("action_chunk", 4.0)
        .stop();
    let sent = drive_franka(&emulator, script);
    let states: Vec<ArmState> = sent.messages("arm_state").unwrap();
    let last = states.last().unwrap();
    let moved_m = last.tcp.position_m[1] - home().position_m[1];
    assert!(
        (moved_m - 0.16).abs() < 3e-3,
        "{moved_m}: {:?}",
        kinds(&sent)
    );
    // The chunk closes the hand, and nothing is in between.
    assert!(last.gripper_width_m < 0.01, "{}", last.gripper_width_m);
    assert!(!kinds(&sent).contains(&"arm_failed".to_owned()));
    // A share of the robot's limits by default.
    let peaks = emulator.counters().peaks;
    assert!(
        peaks.acceleration < 0.35 && peaks.velocity < 0.35,
        "{peaks:?}"
    );
    let has_reflex = |entry: &tiller_fci_emulator::Entry| matches!(entry.event, Event::Reflex(_));
    assert!(!emulator.log().iter().any(has_reflex));
}

#[test]
fn a_reflex_is_told_and_resume_recovers_the_robot() {
    let emulator = emulator();
    emulator.fault_at(400, Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    let script = begun()
        .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
        .pause("action_chunk", 2.0)
        .message("resume", &SafetyEvent::default())
        .pause("resume", 1.0)
        .stop();
    let sent = drive_franka(&emulator, script);
    let told = events(&sent);
    let failed = told
        .iter()
        .find(|event| event.kind == "arm_failed")
        .unwrap();
    assert!(failed.text.contains("cartesian_reflex"), "{}", failed.text);
    let statuses: Vec<Status> = sent.messages("status").unwrap();
    assert!(statuses.iter().any(|status| status.code == "recovered"));
    assert!(
        emulator
            .log()
            .iter()
            .any(|entry| entry.event == Event::Recovered)
    );
    let modes: Vec<_> = executions(&sent)
        .into_iter()
        .map(|state| state.mode)
        .collect();
    let stopped = modes
        .iter()
        .position(|mode| *mode == ExecutionMode::Stopped);
    let holding = modes
        .iter()
        .rposition(|mode| *mode == ExecutionMode::Holding);
    assert!(stopped.is_some() && holding > stopped, "{modes:?}");
}
