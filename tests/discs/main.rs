//! A world of its own, that no crate knows, goes through the benchmark's loop and the simulator node's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod author;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use simulator::{ESSENTIAL, Settings};
use tiller_bench::{BenchConfig, Handicap, Method, Sight, Subjects, Tuned};
use tiller_messages::{ArmCommand, TaskStatus};

use tiller_motion::kinematics::{self, HOME_Q, Pose};
use tiller_motion::limits::Limits;
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent};
use tiller_policy::Provider;
use tiller_world::{Command, EpisodeSpec, Registry, WorldKind};

use crate::author::DiscAuthor;
use crate::world::{DiscsKind, NAME, scene};

#[test]
fn steering_pushes_a_disc_in_the_benchmark() {
    let subjects = Subjects::new().with(DiscsKind, DiscAuthor);
    let wander = "models/controls/wander";
    let config = BenchConfig {
        guide: None,
        handicap: Handicap::default(),
        sight: Sight::default(),
        programs: None,
        subject: subjects.find(Some(NAME)).unwrap().clone(),
        tasks: vec![Some("push_amber".to_owned()), Some("push_green".to_owned())],
        variations: vec![None],
        methods: vec![Method::Full, Method::Unsteered],
        episodes: 2,
        seed: 1,
        max_steps: 150,
        jobs: 2,
        policy: "wander".to_owned(),
        policy_folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(wander),
        provider: Provider::Cpu,
        tuned: Tuned::shipped().unwrap(),
        json: None,
        restart: false,
        pictures: None,
        records: false,
        quiet: true,
        stop: Arc::new(AtomicBool::new(false)),
    };
    let tally = tiller_bench::run(&config).unwrap();
    let text = tally.text();
    for task in ["push_amber", "push_green"] {
        assert_eq!(tally.cell(None, task, "full").successes, 2, "{text}");
        assert!(tally.cell(None, task, "unsteered").successes < 2, "{text}");
    }
    assert!(text.contains("pushing") && text.contains("all"), "{text}");
}

/// Joints that hold the tool there, found from those before.
fn joints(tool_m: [f64; 3], from: &[f64; 7]) -> [f64; 7] {
    kinematics::inverse(&Pose::down(tool_m), from, &Limits::panda().joint).unwrap()
}

/// Positions of the tool, every 20 ms, that push the first disc of a scene 10 cm away.
fn way_m(seed: u64) -> Vec<[f64; 3]> {
    let [[x, y], _] = scene(seed);
    let stations = [
        kinematics::forward(&HOME_Q).position_m,
        [x - 0.1, y, 0.2],
        [x - 0.1, y, 0.03],
        [x + 0.06, y, 0.03],
    ];
    let mut way = Vec::new();
    for pair in stations.windows(2) {
        way.extend((0..12).map(|step| {
            let share = f64::from(step + 1) / 12.0;
            [0, 1, 2].map(|axis| pair[0][axis] + share * (pair[1][axis] - pair[0][axis]))
        }));
    }
    way
}

/// The node in its loop, told to follow that way and to hold still for a second and more.
fn drive(seed: u64) -> Sent {
    let mut script = Script::new(ESSENTIAL).gap(0.02);
    let mut q_rad = HOME_Q;
    let rest = std::iter::repeat_n(*way_m(seed).last().unwrap(), 55);
    for (tool_m, index) in way_m(seed).into_iter().chain(rest).zip(0..) {
        q_rad = joints(tool_m, &q_rad);
        let command = ArmCommand {
            seq: index + 1,
            stamp_ns: index * 20_000_000,
            q_rad: q_rad.repeat(20),
            ..ArmCommand::default()
        };
        script = script.message("arm_command", &command);
    }
    let pairs = [
        ("WORLD", NAME),
        ("INSTRUCTION", "push the amber disc"),
        ("SEED", "1"),
        ("SPEED", "100"),
        ("IMAGE_SIDE", "32"),
    ];
    let worlds = Registry::new().with(DiscsKind);
    let settings = Settings::read(Environment::from_pairs(pairs), &worlds).unwrap();
    let (result, sent) = script
        .closed("arm_command")
        .run(|inbox, outbox| simulator::run(&settings, inbox, outbox))
        .expect("the harness works");
    result.unwrap();
    sent
}

#[test]
fn the_simulator_node_shows_it_and_ends_with_its_verdict() {
    let sent = drive(1);
    for port in ["image", "depth", "segmentation", "wrist_image"] {
        assert!(sent.count(port) > 10, "{port}: {}", sent.count(port));
    }
    assert_eq!(sent.images("image")[0].len(), 32 * 32 * 3);
    let statuses = sent.messages::<TaskStatus>("task_status").unwrap();
    let achieved = statuses.iter().find(|status| !status.completed.is_empty());
    let achieved = achieved.expect("the disc is pushed");
    assert_eq!(achieved.completed, ["push_amber"]);
    assert!(!achieved.success, "it has to hold for a second");
    let last = statuses.last().unwrap();
    assert!(last.success && last.episode_over, "{last:?}");
    assert!(last.stamp_ns >= achieved.stamp_ns + tiller_world::HOLD_NS - 20_000_000);
}

#[test]
fn what_else_was_moved_is_collateral() {
    let mut world = DiscsKind.make().unwrap();
    world
        .reset(&EpisodeSpec {
            tasks: vec!["push_green".to_owned()],
            seed: 1,
            ..EpisodeSpec::default()
        })
        .unwrap();
    let mut q_rad = HOME_Q;
    for tool_m in way_m(1) {
        q_rad = joints(tool_m, &q_rad);
        let setpoint = tiller_motion::Setpoint {
            q_rad,
            gripper_width_m: 0.0,
        };
        world.run(&Command::Joints(&[setpoint; 20])).unwrap();
    }
    let verdict = world.verdict();
    assert!(!verdict.achieved);
    assert_eq!(verdict.completed, ["push_amber"]);
    let words: Vec<String> = verdict.collateral.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["amber disc: moved 0.10 m"]);
}
