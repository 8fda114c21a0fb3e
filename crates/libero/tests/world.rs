//! The toy scene as a world among others.

#![allow(clippy::expect_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::json;
use support::{CUP, DRAWER, KNOB, PLATE, description, pack, qpos, scene};
use tiller_libero::{ACTION, Channels, Frame, KindError, LiberoKind, LiberoWorld, STEP_NS, kind};
use tiller_motion::Setpoint;
use tiller_world::{Command, EpisodeSpec, World, WorldError, WorldKind};

/// Two tasks: a second cup is none of the first one's things. The second task's second episode is solved.
fn toy() -> LiberoKind {
    let mut other = description();
    other["suite"] = json!("libero_goal");
    other["task"] = json!(7);
    other["instruction"] = json!("turn on the stove");
    other["goal"] = json!([["turnon", "stove_1"]]);
    let mut solved = other["episodes"][0].clone();
    let mut state = qpos();
    state[KNOB] = 1.0;
    solved["qpos"] = json!(state);
    solved["seed"] = json!(5);
    other["episodes"]
        .as_array_mut()
        .expect("episodes")
        .push(solved);
    let packs = vec![
        pack(description()).expect("a pack"),
        pack(other).expect("a pack"),
    ];
    LiberoKind::new(Path::new("toy"), packs).expect("a world")
}

fn spec(task: &str, seed: u64) -> EpisodeSpec {
    EpisodeSpec {
        tasks: vec![task.to_owned()],
        seed,
        ..EpisodeSpec::default()
    }
}

/// Twenty set-points that lead to these joints.
fn hold(world: &mut LiberoWorld, q_rad: [f64; 7], gripper_width_m: f64) {
    let setpoint = Setpoint {
        q_rad,
        gripper_width_m,
    };
    world.run(&Command::Joints(&[setpoint; 20])).expect("20 ms");
}

#[test]
fn tasks_labels_and_instructions_are_the_packs() {
    let kind = toy();
    let info = kind.info();
    let tasks: Vec<_> = info
        .tasks
        .iter()
        .map(|task| (&*task.id, task.group, task.shown))
        .collect();
    // Only one of them has an expert.
    assert_eq!(
        tasks,
        [("toy_0", "other", 0), ("libero_goal_7", "libero_goal", 1)]
    );
    let labels: Vec<_> = info
        .labels
        .iter()
        .map(|(id, name)| (*id, &**name))
        .collect();
    assert_eq!(
        labels,
        [
            (1, "cabinet"),
            (2, "cabinet drawer"),
            (3, "cup"),
            (4, "plate"),
            (5, "stove"),
            (6, "stove knob"),
            (7, "robot")
        ]
    );
    let found = kind.interpret("Turn on the stove");
    assert_eq!(found, Some(vec!["libero_goal_7".to_owned()]));
    assert_eq!(kind.interpret("sing"), None);
}

#[test]
fn a_folder_of_packs_is_a_world() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = kind(folder.path()).expect_err("nothing in it");
    assert!(matches!(empty, KindError::Empty { .. }));
    let task = folder.path().join("libero_goal/0");
    fs::create_dir_all(&task).expect("a folder");
    fs::write(task.join("scene.xml"), scene()).expect("the scene");
    let mut description = description();
    description["suite"] = json!("libero_goal");
    fs::write(task.join("pack.json"), description.to_string()).expect("the description");
    let kind = kind(folder.path()).expect("a world");
    assert_eq!(kind.info().tasks[0].id, "libero_goal_0");
    assert_eq!(kind.info().groups[0].name, "libero_goal");
}

#[test]
fn the_arm_follows_joint_setpoints_through_actions() {
    let mut world = toy().world();
    world.reset(&spec("toy_0", 0)).expect("an episode");
    let mut q_rad = world.arm().reading.q_rad;
    q_rad[0] += 0.1;
    for _ in 0..75 {
        hold(&mut world, q_rad, 0.0);
    }
    assert_eq!(world.time_ns(), 75 * 20_000_000);
    let control_steps = world.time_ns() / STEP_NS;
    assert_eq!(world.actions().len() as u64, control_steps);
    let arm = world.arm();
    // The hand arrives; the arm's redundancy is the controller's own.
    let wanted_m = tiller_motion::kinematics::forward(&q_rad).position_m;
    for (found, wanted) in arm.base_from_tool.position_m.iter().zip(wanted_m) {
        assert!(
            (found - wanted).abs() < 5e-3,
            "{arm:?}, wanted {wanted_m:?}"
        );
    }
    assert!(arm.reading.gripper_width_m < 2e-3, "{arm:?}");
    // The referee's actions lead a task that is stepped by them to the same state, to the bit.
    let actions: Vec<[f64; ACTION]> = world.actions().to_vec();
    let mut native =
        tiller_libero::Native::new(pack(description()).expect("a pack")).expect("a scene");
    native.settle(10).expect("idle steps");
    for action in &actions {
        native.step(action).expect("a step");
    }
    assert_eq!(
        Some(native.qpos()),
        world.native().map(tiller_libero::Native::qpos)
    );
}

#[test]
fn success_is_the_moment_in_which_the_goal_holds() {
    let mut world = toy().world();
    world.reset(&spec("libero_goal_7", 0)).expect("an episode");
    let q_rad = world.arm().reading.q_rad;
    hold(&mut world, q_rad, 0.08);
    assert!(!world.verdict().success && world.verdict().completed.is_empty());
    world.reset(&spec("libero_goal_7", 5)).expect("an episode");
    assert!(world.verdict().success);
    let q_rad = world.arm().reading.q_rad;
    for _ in 0..3 {
        hold(&mut world, q_rad, 0.08);
    }
    assert!(world.verdict().success);
    assert_eq!(world.verdict().completed, ["libero_goal_7"]);
}

#[test]
fn training_scenes_come_from_the_later_initial_states_and_are_drawn_by_the_seed() {
    let mut many = description();
    let first = many["episodes"][0].clone();
    let episodes = (0..50).map(|state| {
        let mut start = first.clone();
        start["init_state"] = json!(state);
        start["seed"] = json!(state);
        start["qpos"][DRAWER] = json!(-1e-3 * f64::from(state));
        start
    });
    many["episodes"] = episodes.collect();
    let packs = vec![pack(many).expect("a pack")];
    let kind = LiberoKind::new(Path::new("toy"), packs).expect("a world");
    let mut world = kind.world();
    let mut scene = |seed| {
        world.reset(&spec("toy_0", seed)).expect("an episode");
        world.native().expect("runs").qpos().to_vec()
    };
    let benchmark = scene(0);
    let scenes: Vec<_> = (1_000_000..1_000_030).map(&mut scene).collect();
    assert_eq!(scene(1_000_007), scenes[7]);
    let moved_m = |scene: &[f64], thing: usize| {
        let [x, y] = [0, 1].map(|axis| (scene[thing + axis] - benchmark[thing + axis]).abs());
        x.max(y)
    };
    let mut scattered = 0;
    for (scene, seed) in scenes.iter().zip(1_000_000..) {
        // The drawer stays where its initial state has it.
        let state = 20 + seed % 30;
        let drawer_m = scene[DRAWER] + 1e-3 * f64::from(state);
        assert!(drawer_m.abs() < 1e-3, "{seed}: {drawer_m}");
        let [cup_m, plate_m] = [CUP, PLATE].map(|thing| moved_m(scene, thing));
        assert!(
            cup_m < 0.022 && plate_m < 0.022,
            "{seed}: {cup_m} {plate_m}"
        );
        scattered += u32::from(plate_m > 1e-4);
    }
    assert!((12..25).contains(&scattered), "{scattered} of 30");
}

#[test]
fn pictures_have_the_world_s_labels() {
    let mut world = toy().world();
    world.reset(&spec("toy_0", 0)).expect("an episode");
    let mut frame = Frame::default();
    world
        .look("static", [128, 96], Channels::ALL, &mut frame)
        .expect("a picture");
    for label in [2, 3, 4, 6, 7] {
        assert!(frame.segmentation.contains(&label), "{label}");
    }
    assert!(frame.segmentation.iter().all(|label| *label <= 7));
    let refused = world.look("side", [128, 96], Channels::ALL, &mut frame);
    let error = refused.expect_err("no camera").to_string();
    assert_eq!(
        error,
        "libero: expected static or wrist, found camera `side`"
    );
}

#[test]
fn what_it_has_not_is_refused() {
    let mut world = toy().world();
    assert!(matches!(world.step(), Err(WorldError::Unsupported { .. })));
    let error = |world: &mut LiberoWorld, spec: &EpisodeSpec| {
        world.reset(spec).expect_err("refused").to_string()
    };
    assert_eq!(
        error(&mut world, &spec("fly", 0)),
        "libero: expected one of toy_0, libero_goal_7, found task `fly`"
    );
    let unseen = error(&mut world, &spec("toy_0", 9));
    assert_eq!(unseen, "libero: expected one of 0, found seed `9`");
    let untrained = error(&mut world, &spec("toy_0", 1_000_001));
    assert_eq!(
        untrained,
        "libero: expected a pack with the initial states 20 to 49, of which training scenes are made, \
         found seed `1000001`"
    );
    world.reset(&spec("toy_0", 0)).expect("an episode");
    let unknown = world.call_expert("toy_0", 0).expect_err("none").to_string();
    assert_eq!(unknown, "libero has no expert for the task `toy_0`");
    let elsewhere = world.call_expert("libero_goal_7", 0);
    let elsewhere = elsewhere.expect_err("a toy").to_string();
    assert_eq!(
        elsewhere,
        "libero has no expert in a scene without `akita_black_bowl_1_main`"
    );
    let none = error(&mut world, &EpisodeSpec::default());
    assert_eq!(none, "libero has no episode of 0 tasks: expected one");
}
