use tiller_core::EpisodeId;
use tiller_messages::{ArmCommand, ArmState, Episode, StageCommand, Status, TaskStatus};
use tiller_motion::kinematics::HOME_Q;
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent, sent};
use tiller_world::Registry;

use super::{ESSENTIAL, run};
use crate::config::Settings;

mod damages;
mod franka;
mod signal;

const STATE_NS: u64 = 20_000_000;

fn command(seq: u64, stamp_ns: u64) -> ArmCommand {
    ArmCommand {
        seq,
        stamp_ns,
        q_rad: HOME_Q.repeat(20),
        gripper_width_m: 0.08,
        ..Default::default()
    }
}

/// Answers to the states from `first` on, numbered likewise.
fn answers(mut script: Script, states: std::ops::Range<u64>) -> Script {
    for state in states {
        script = script.message("arm_command", &command(state + 1, state * STATE_NS));
    }
    script
}

/// A small picture and no pacing, so that the loop depends on the commands alone.
fn drive_in(worlds: &Registry, more: &[(&str, &str)], script: Script) -> (eyre::Result<()>, Sent) {
    let pairs = [("IMAGE_SIDE", "32"), ("SPEED", "100")];
    let pairs = pairs.iter().chain(more).copied();
    let settings = Settings::read(Environment::from_pairs(pairs), worlds).unwrap();
    script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works")
}

fn drive(more: &[(&str, &str)], script: Script) -> Sent {
    let worlds = Registry::new().with(tiller_playtable::kind());
    let pairs = [&[("TASK", "button_press")][..], more].concat();
    let (result, sent) = drive_in(&worlds, &pairs, script);
    expect_no_fault(result);
    sent
}

/// In a world whose task is achieved by turning the first joint.
fn signal(more: &[(&str, &str)], script: Script) -> Sent {
    let (result, sent) = drive_in(&Registry::new().with(signal::kind()), more, script);
    expect_no_fault(result);
    sent
}

/// That an episode ended without success is a result, too.
fn expect_no_fault(result: eyre::Result<()>) {
    if let Err(error) = result {
        assert!(error.to_string().starts_with("no success"), "{error:#}");
    }
}

fn states(sent: &Sent) -> Vec<ArmState> {
    sent.messages("sim_arm_state").unwrap()
}

fn episodes(sent: &Sent) -> Vec<Episode> {
    let mut episodes: Vec<Episode> = sent.messages("episode").unwrap();
    // Latched: the same is sent again and again.
    episodes.dedup();
    episodes
}

fn statuses(sent: &Sent) -> Vec<Status> {
    sent.messages("status").unwrap()
}

fn codes(sent: &Sent) -> Vec<String> {
    statuses(sent)
        .into_iter()
        .map(|status| status.code)
        .collect()
}

#[test]
fn each_command_takes_time_one_state_further() {
    let script = answers(Script::new(ESSENTIAL).gap(0.02), 0..6);
    let sent = drive(&[], script.closed("arm_command"));
    let states = states(&sent);
    let stamps: Vec<_> = states.iter().map(|s| s.stamp_ns / STATE_NS).collect();
    assert_eq!(stamps, [0, 1, 2, 3, 4, 5, 6]);
    let episode = episodes(&sent)[0].id;
    assert!(states.iter().all(|state| state.episode == episode));
    for port in ["image", "depth", "segmentation", "wrist_image"] {
        assert_eq!(sent.count(port), 2, "{port}: at 0 and at 100 ms");
    }
    assert_eq!(sent.images("image")[0].len(), 32 * 32 * 3);
    assert_eq!(sent.images("segmentation")[0].len(), 32 * 32);
}

#[test]
fn the_arm_does_not_wait_for_pictures_that_are_being_drawn() {
    let worlds = Registry::new().with(signal::kind_with_late_pictures());
    let tick = Script::new(ESSENTIAL).message("tick", &ArmState::default());
    let script = answers(tick, 0..4)
        .until("tick", sent("image", 1))
        .closed("arm_command");
    let (result, sent) = drive_in(&worlds, &[("TASK", "signal")], script);
    expect_no_fault(result);
    let pictures = sent.order().iter().position(|port| *port == "image");
    let before = &sent.order()[..pictures.unwrap()];
    let states = before.iter().filter(|port| **port == "sim_arm_state");
    assert!(states.count() >= 3, "{before:?}");
    assert_eq!(sent.images("image"), [vec![8; 32 * 32 * 3]]);
}

#[test]
fn a_command_for_another_state_does_not_move_time() {
    let script = Script::new(ESSENTIAL)
        .message("arm_command", &command(1, 50 * STATE_NS))
        .closed("arm_command");
    let sent = drive(&[], script);
    assert_eq!(states(&sent).len(), 1);
}

#[test]
fn a_state_without_an_answer_is_sent_again() {
    let script = Script::new(ESSENTIAL)
        .message("tick", &ArmState::default())
        .until("tick", sent("sim_arm_state", 3));
    let sent = drive(&[], script.closed("arm_command"));
    let states = states(&sent);
    for (state, seq) in states.iter().zip(1..) {
        assert_eq!((state.seq, state.stamp_ns), (seq, 0));
    }
}

#[test]
fn an_actuator_that_does_not_answer_is_named_once_and_so_is_its_return() {
    let script = Script::new(ESSENTIAL)
        .gap(0.1)
        .message("tick", &ArmState::default())
        .until("tick", sent("status", 1));
    let script = answers(script, 0..1);
    let sent = signal(&[("TASK", "signal")], script.closed("arm_command"));
    assert_eq!(codes(&sent), ["waiting", "waiting_over"]);
    let waiting = &statuses(&sent)[0];
    assert!(waiting.text.contains("arm_command"), "{}", waiting.text);
}

#[test]
fn the_episode_ends_when_its_time_is_up() {
    let script = answers(Script::new(ESSENTIAL).gap(0.02), 0..60);
    let sent = drive(&[("EPISODE_S", "1")], script);
    let statuses = sent.messages::<TaskStatus>("task_status").unwrap();
    let last = statuses.last().unwrap();
    assert!(last.episode_over && !last.success);
    assert_eq!(last.tasks, ["button_press"]);
    assert_eq!(last.stamp_ns, 1_000_000_000);
    assert_eq!(last.reason, "the time is up");
    assert_eq!(last.episode, episodes(&sent)[0].id);
    assert!(
        statuses[..statuses.len() - 1]
            .iter()
            .all(|s| !s.episode_over)
    );
}

#[test]
fn the_episode_is_latched() {
    let mut script = Script::new(ESSENTIAL).gap(0.1);
    for _ in 0..13 {
        script = script.message("tick", &ArmState::default());
    }
    let pairs = [("INSTRUCTION", "signal"), ("SEED", "7")];
    let sent = signal(&pairs, script.closed("arm_command"));
    assert!(sent.count("episode") >= 2, "{}", sent.count("episode"));
    let episodes = episodes(&sent);
    assert_eq!(episodes.len(), 1);
    let episode = &episodes[0];
    assert_eq!((episode.seq, episode.seed), (1, 7));
    assert_eq!(episode.tasks, ["signal"]);
    assert_eq!(episode.instruction, "signal");
    assert!(episode.last);
    let order = sent.order();
    let first = |port| order.iter().position(|sent| *sent == port);
    assert!(first("episode") < first("sim_arm_state"));
}

#[test]
fn two_episodes_have_rising_ids_and_stamps() {
    let script = answers(Script::new(ESSENTIAL).gap(0.003), 0..150);
    let pairs = [("EPISODES", "2"), ("EPISODE_S", "1"), ("TASK", "signal")];
    let sent = signal(&pairs, script);
    let episodes = episodes(&sent);
    assert_eq!(episodes.len(), 2);
    assert!(episodes[0].id < episodes[1].id);
    assert_eq!([episodes[0].seed, episodes[1].seed], [0, 1]);
    assert_eq!([episodes[0].last, episodes[1].last], [false, true]);
    let states = states(&sent);
    let in_order = |pair: &[ArmState]| {
        (pair[0].episode, pair[0].stamp_ns) < (pair[1].episode, pair[1].stamp_ns)
    };
    assert!(states.windows(2).all(in_order));
    assert!(
        states
            .windows(2)
            .all(|pair| pair[0].stamp_ns < pair[1].stamp_ns)
    );
    let second = states.iter().find(|state| state.episode == episodes[1].id);
    assert_eq!(second.unwrap().stamp_ns, episodes[1].stamp_ns);
    assert!(second.unwrap().stamp_ns.is_multiple_of(100_000_000));
    let over: Vec<_> = sent.messages::<TaskStatus>("task_status").unwrap();
    let over: Vec<_> = over
        .iter()
        .filter(|s| s.episode_over)
        .map(|s| s.episode)
        .collect();
    assert_eq!(over, [episodes[0].id, episodes[1].id]);
}

#[test]
fn success_must_hold_for_a_second_and_ends_the_episode() {
    let mut turned = HOME_Q;
    turned[0] = 0.3;
    let mut script = Script::new(ESSENTIAL).gap(0.003);
    for state in 0..80 {
        let command = ArmCommand {
            q_rad: turned.repeat(20),
            ..command(state + 1, state * STATE_NS)
        };
        script = script.message("arm_command", &command);
    }
    let sent = signal(&[("TASK", "signal")], script);
    let last = sent.messages::<TaskStatus>("task_status").unwrap();
    let last = last.last().unwrap();
    assert!(last.success && last.episode_over);
    assert_eq!(last.reason, "the task is achieved");
    assert_eq!(last.collateral, ["second joint: turned"]);
    assert!(last.stamp_ns >= 1_000_000_000, "{}", last.stamp_ns);
}

/// After so many states somebody says something.
fn say(script: Script, seq: u64, instruction: &str) -> Script {
    let said = Episode {
        seq,
        instruction: instruction.into(),
        seed: 4,
        ..Default::default()
    };
    script.message("episode", &said)
}

#[test]
fn what_is_said_begins_another_task_in_the_same_scene() {
    let script = answers(Script::new(ESSENTIAL).gap(0.003), 0..4);
    let script = answers(say(script, 1, "wave"), 4..8);
    let sent = signal(&[("TASK", "signal")], script.closed("arm_command"));
    let episodes = episodes(&sent);
    assert_eq!(episodes.len(), 2);
    assert!(episodes[0].id < episodes[1].id);
    assert_eq!(episodes[1].tasks, ["wave"]);
    assert_eq!(episodes[1].instruction, "wave");
    assert_eq!(episodes[1].stamp_ns, 4 * STATE_NS);
    let states = states(&sent);
    let stamps: Vec<_> = states
        .iter()
        .map(|state| state.stamp_ns / STATE_NS)
        .collect();
    // The state in which the other task begins is sent again, for the other episode.
    assert_eq!(stamps, [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]);
    assert_eq!(states[5].episode, episodes[1].id);
}

#[test]
fn what_the_world_cannot_do_is_refused_and_the_episode_goes_on() {
    let script = answers(Script::new(ESSENTIAL).gap(0.003), 0..4);
    let script = answers(say(script, 1, "begin anew"), 4..8);
    let sent = signal(&[("TASK", "signal")], script.closed("arm_command"));
    assert_eq!(episodes(&sent).len(), 1);
    assert_eq!(states(&sent).len(), 9);
    let statuses = statuses(&sent);
    assert_eq!(codes(&sent), ["episode_refused"]);
    assert!(statuses[0].text.contains("`begin anew`"));
    assert!(statuses[0].text.contains("without a reset"), "{statuses:?}");
}

#[test]
fn an_instruction_that_is_no_task_is_told() {
    let script = answers(Script::new(ESSENTIAL).gap(0.003), 0..2);
    let pairs = [("INSTRUCTION", "make coffee")];
    let sent = signal(&pairs, script.closed("arm_command"));
    assert_eq!(codes(&sent), ["unknown_task"]);
    assert!(episodes(&sent)[0].tasks.is_empty());
}

#[test]
fn without_a_number_of_episodes_it_waits_for_what_is_said_next() {
    let script = answers(Script::new(ESSENTIAL).gap(0.003), 0..60);
    let script = answers(say(script, 1, "wave"), 60..64);
    let pairs = [("EPISODES", "0"), ("EPISODE_S", "1"), ("TASK", "signal")];
    let sent = signal(&pairs, script.closed("arm_command"));
    assert_eq!(codes(&sent), ["ready"]);
    let episodes = episodes(&sent);
    assert_eq!(episodes.len(), 2);
    assert!(!episodes[1].last);
    // Time went on meanwhile.
    assert_eq!(episodes[1].stamp_ns, 60 * STATE_NS);
}

#[test]
fn the_end_of_the_program_ends_the_episode_unless_it_is_another_episodes() {
    let over = |episode| StageCommand {
        seq: 1,
        episode,
        finished: true,
        ..Default::default()
    };
    // The node's first episode is numbered by the clock: only a message that it sent tells.
    let script = answers(Script::new(ESSENTIAL).gap(0.003), 0..2);
    let script = script.message("stage", &over(EpisodeId(3)));
    let sent = signal(
        &[("TASK", "signal")],
        answers(script, 2..120).closed("arm_command"),
    );
    let statuses = sent.messages::<TaskStatus>("task_status").unwrap();
    assert!(statuses.iter().all(|status| !status.episode_over));
}

#[test]
fn an_unknown_input_is_a_mistake_at_the_start() {
    let worlds = Registry::new().with(signal::kind());
    let script = Script::new(ESSENTIAL).wired(&["joystick"]).stop();
    let error = drive_in(&worlds, &[], script).0.unwrap_err().to_string();
    assert!(error.contains("found `joystick`"), "{error}");
}
