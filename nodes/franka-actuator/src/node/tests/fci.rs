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

/// The robot with these settings, and those that an emulated one needs.
fn drive_with(emulator: &Emulator, more: &[(&'static str, &'static str)], script: Script) -> Sent {
    let (robot, hand) = (emulator.address(), emulator.gripper_address());
    let pairs = [
        ("ARM", "fci"),
        ("FRANKA_ADDRESS", robot.as_str()),
        ("FRANKA_HAND_ADDRESS", hand.as_str()),
        ("REAL_TIME", "without"),
        ("MAX_CHUNK_AGE_MS", "60000"),
    ];
    let pairs = pairs.into_iter().chain(more.iter().copied());
    let settings = Settings::read(Environment::from_pairs(pairs)).unwrap();
    let (result, sent) = script
        .run(|inbox, outbox| run(settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    sent
}

/// One that moves as soon as a chunk comes.
fn drive_franka(emulator: &Emulator, script: Script) -> Sent {
    drive_with(emulator, &[("ARMING", "off")], script)
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

/// Whether [`chunk`] is over, hand and all.
fn is_executed() -> impl FnMut(&Sent) -> bool {
    let mut rests = has_come_to_rest();
    move |sent| rests(sent) && newest(sent).is_some_and(|arm| arm.gripper_width_m < 0.01)
}

fn has_recovered() -> impl FnMut(&Sent) -> bool {
    has_been(&[ExecutionMode::Fault, ExecutionMode::Ready])
}

fn has_failed() -> impl FnMut(&Sent) -> bool {
    has_been(&[ExecutionMode::Fault])
}

/// Whether [`chunk`] was executed to its end, by what the arm is told to have measured last.
#[track_caller]
fn assert_chunk_was_executed(sent: &Sent) {
    let states: Vec<ArmState> = sent.messages("arm_state").unwrap();
    let last = states.last().unwrap();
    let moved_m = last.tcp.position_m[1] - home().position_m[1];
    let told = kinds(sent);
    assert!((moved_m - 0.16).abs() < 3e-3, "{moved_m}: {told:?}");
    // The chunk closes the hand, and nothing is in between.
    assert!(last.gripper_width_m < 0.01, "{}", last.gripper_width_m);
}

#[test]
fn a_chunk_moves_a_franka_and_its_hand() {
    let emulator = emulator();
    let script = begun()
        .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
        .until("action_chunk", is_executed())
        .stop();
    let sent = drive_franka(&emulator, script);
    assert_chunk_was_executed(&sent);
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
        .until("action_chunk", has_failed())
        .message("resume", &SafetyEvent::default())
        .until("resume", has_recovered())
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
    let stopped = modes.iter().position(|mode| *mode == ExecutionMode::Fault);
    let holding = modes.iter().rposition(|mode| *mode == ExecutionMode::Ready);
    assert!(stopped.is_some() && holding > stopped, "{modes:?}");
}

fn order(id: u64) -> Order {
    Order {
        id,
        reason: "a test".to_owned(),
        ..Default::default()
    }
}

/// Whether an arm is there: the robot tells angles in single precision.
fn is_at(found: &[f64; 7], expected: &[f64; 7]) -> bool {
    let ways = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    ways.fold(0.0, f64::max) < 1e-6
}

fn has_begun_to_move(emulator: &Emulator) -> bool {
    let begins = |entry: &tiller_fci_emulator::Entry| {
        matches!(entry.event, Event::MotionBegan { .. } | Event::Gripper(_))
    };
    emulator.log().iter().any(begins) || emulator.counters().commands > 0
}

#[test]
fn nothing_reaches_the_robot_before_it_is_armed() {
    let emulator = emulator();
    let script = begun()
        .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
        .until("action_chunk", |sent| {
            let statuses: Vec<Status> = sent.messages("status").unwrap();
            statuses.iter().any(|status| status.code == "waiting")
        })
        .pause("action_chunk", 0.5)
        .stop();
    let sent = drive_with(&emulator, &[("HOME_HAND", "yes")], script);
    assert!(!has_begun_to_move(&emulator), "{:?}", emulator.log());
    let executions = executions(&sent);
    let is_idle = |state: &ExecutionState| {
        [
            ExecutionMode::Idle,
            ExecutionMode::Stopping,
            ExecutionMode::Stopped,
        ]
        .contains(&state.mode)
    };
    assert!(executions.len() > 10 && executions.iter().all(is_idle));
    assert!(executions.iter().any(|state| state.refused_seq == 1));
    let statuses: Vec<Status> = sent.messages("status").unwrap();
    let waits: Vec<_> = statuses.iter().filter(|s| s.code == "waiting").collect();
    assert_eq!(waits.len(), 1, "{statuses:?}");
    assert!(waits[0].text.contains("`tiller arm`"), "{}", waits[0].text);
    let states = sent.messages::<ArmState>("arm_state").unwrap();
    assert!(is_at(&states[0].q_rad, &HOME_Q), "{:?}", states[0]);
}

#[test]
fn the_hand_is_homed_once_the_arm_is_armed() {
    let emulator = emulator();
    let script = begun()
        .message("arm", &order(1))
        .until(
            "episode",
            has_been(&[ExecutionMode::Homing, ExecutionMode::Ready]),
        )
        .message("arm", &order(2))
        .pause("episode", 0.3)
        .stop();
    let sent = drive_with(&emulator, &[("HOME_HAND", "yes")], script);
    let mut modes: Vec<_> = executions(&sent).iter().map(|state| state.mode).collect();
    modes.dedup();
    let expected = [ExecutionMode::Idle, ExecutionMode::Homing];
    assert!(modes.starts_with(&expected), "{modes:?}");
    let homings = |entry: &&tiller_fci_emulator::Entry| matches!(&entry.event, Event::Gripper(what) if what.to_lowercase().contains("homing"));
    let log = emulator.log();
    assert_eq!(log.iter().filter(homings).count(), 1, "{log:?}");
}

#[test]
fn once_armed_chunks_move_it_until_a_stop_takes_that_away() {
    let emulator = emulator();
    let later = |seq| in_episode(chunk(seq, robot_clock_ns()));
    let script = begun()
        .message("arm", &order(1))
        .until("episode", has_been(&[ExecutionMode::Ready]))
        .message("action_chunk", &later(1))
        .until("action_chunk", has_been(&[ExecutionMode::Executing]))
        .message("stop", &order(2))
        .until("episode", has_been(&[ExecutionMode::Stopped]))
        .message("resume", &order(3))
        .until(
            "episode",
            has_been(&[ExecutionMode::Stopped, ExecutionMode::Idle]),
        )
        .message("action_chunk", &later(2))
        .pause("episode", 0.5)
        .stop();
    let sent = drive_with(&emulator, &[], script);
    let executions = executions(&sent);
    let mut modes: Vec<_> = executions.iter().map(|state| state.mode).collect();
    modes.dedup();
    let begin = [
        ExecutionMode::Idle,
        ExecutionMode::Ready,
        ExecutionMode::Executing,
    ];
    assert!(modes.starts_with(&begin), "{modes:?}");
    // The emulated robot's time is its own: the chunk may be over when the stop comes.
    let stopped = modes
        .iter()
        .position(|mode| *mode == ExecutionMode::Stopped);
    let after = &modes[stopped.unwrap() + 1..];
    assert_eq!(after[0], ExecutionMode::Idle, "{modes:?}");
    assert!(!after.contains(&ExecutionMode::Executing), "{modes:?}");
    let mut orders: Vec<_> = executions.iter().map(|state| state.order).collect();
    orders.dedup();
    assert_eq!(orders, [0, 1, 2, 3], "each is acknowledged");
}

#[test]
fn in_a_dry_run_the_shadow_moves_and_the_robot_hears_nothing() {
    let emulator = emulator();
    let script = begun()
        .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
        .until("action_chunk", is_executed())
        .stop();
    let sent = drive_with(
        &emulator,
        &[("MOTION", "dry"), ("HOME_HAND", "yes")],
        script,
    );
    assert_chunk_was_executed(&sent);
    assert!(!has_begun_to_move(&emulator), "{:?}", emulator.log());
    assert_eq!(emulator.reading().q_rad, HOME_Q);
    let modes: Vec<_> = executions(&sent).iter().map(|state| state.mode).collect();
    assert!(modes.contains(&ExecutionMode::Executing));
    assert!(
        !modes.contains(&ExecutionMode::Idle),
        "nothing is to be armed"
    );
}

#[test]
fn a_dry_run_stands_where_the_arm_was_found() {
    let mut q_rad = HOME_Q;
    q_rad[0] = 0.4;
    let emulator = Emulator::start(&Config {
        clock: Clock::Lockstep,
        q_rad,
        ..Config::default()
    })
    .unwrap();
    let sent = drive_with(&emulator, &[("MOTION", "dry")], begun().stop());
    let states: Vec<ArmState> = sent.messages("arm_state").unwrap();
    assert!(
        states.iter().all(|state| is_at(&state.q_rad, &q_rad)),
        "{states:?}"
    );
}

/// Settings of an arm that recovers from reflexes by itself.
const BY_ITSELF: [(&str, &str); 4] = [
    ("ARMING", "off"),
    ("RECOVERY", "automatic"),
    ("RECOVERY_DELAY_MS", "200"),
    ("RECOVERY_MOST", "2"),
];

fn recoveries(emulator: &Emulator) -> usize {
    let entries = emulator.log();
    let recovered = entries
        .iter()
        .filter(|entry| entry.event == Event::Recovered);
    recovered.count()
}

#[test]
fn a_reflex_is_recovered_from_by_itself_where_that_is_set() {
    let emulator = emulator();
    emulator.fault_at(300, Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    let script = begun()
        .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
        .until("action_chunk", has_recovered())
        .stop();
    let sent = drive_with(&emulator, &BY_ITSELF, script);
    assert_eq!(recoveries(&emulator), 1, "{:?}", kinds(&sent));
    let mut modes: Vec<_> = executions(&sent).iter().map(|state| state.mode).collect();
    modes.dedup();
    let fault = modes
        .iter()
        .position(|mode| *mode == ExecutionMode::Fault)
        .unwrap();
    let expected = [
        ExecutionMode::Fault,
        ExecutionMode::Recovering,
        ExecutionMode::Ready,
    ];
    assert_eq!(modes[fault..fault + 3], expected, "{modes:?}");
}

#[test]
fn without_being_set_a_reflex_waits_for_people() {
    let emulator = emulator();
    emulator.fault_at(300, Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    let script = begun()
        .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
        .until("action_chunk", has_failed())
        .pause("action_chunk", 1.0)
        .stop();
    let sent = drive_franka(&emulator, script);
    assert_eq!(recoveries(&emulator), 0);
    assert_eq!(executions(&sent).last().unwrap().mode, ExecutionMode::Fault);
}

#[test]
fn a_user_stop_and_what_only_people_can_clear_are_left_to_them() {
    for fault in [Fault::UserStop(true), Fault::Drop] {
        let emulator = emulator();
        emulator.fault_at(300, fault);
        let script = begun()
            .message("action_chunk", &in_episode(chunk(1, robot_clock_ns())))
            .until("action_chunk", has_failed())
            .pause("action_chunk", 1.0)
            .stop();
        let sent = drive_with(&emulator, &BY_ITSELF, script);
        assert_eq!(recoveries(&emulator), 0, "{fault:?}: {:?}", kinds(&sent));
        let modes: Vec<_> = executions(&sent).iter().map(|state| state.mode).collect();
        assert!(
            modes.contains(&ExecutionMode::Fault),
            "{fault:?}: {modes:?}"
        );
        assert!(
            !modes.contains(&ExecutionMode::Recovering),
            "{fault:?}: {modes:?}"
        );
    }
}
