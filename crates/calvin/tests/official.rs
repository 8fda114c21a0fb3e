//! The world with CALVIN's own environment, where it is installed.

#![allow(clippy::expect_used, reason = "a test may fail")]

use tiller_calvin::{CalvinKind, installed};
use tiller_core::ActionLayout;
use tiller_motion::{Actuator, ActuatorConfig, Chunk, Limits, Setpoint};
use tiller_world::{
    Channels, Command, EpisodeSpec, FIRST_TRAINING_SEED, Frame, HandStep, SETPOINT_NS, World,
    WorldKind,
};

/// One that is there; says so where none is.
fn kind() -> Option<CalvinKind> {
    installed()
        .map_err(|absent| eprintln!("skipped: {}", absent.reason))
        .ok()
}

fn spec(task: &str, seed: u64) -> EpisodeSpec {
    EpisodeSpec {
        tasks: vec![task.to_owned()],
        seed,
        ..EpisodeSpec::default()
    }
}

/// A second of a motion that pushes things about: the bits of every state, and the pictures at its end.
fn second(world: &mut dyn World, seed: u64) -> (Vec<u64>, Vec<Frame>) {
    world.reset(&spec("open_drawer", seed)).expect("an episode");
    let start = world.arm().reading.q_rad;
    let mut bits = Vec::new();
    for step in 0..50 {
        let mut q_rad = start;
        q_rad[1] += 0.006 * f64::from(step);
        q_rad[0] += 0.004 * f64::from(step);
        let setpoint = Setpoint {
            q_rad,
            gripper_width_m: if step < 25 { 0.08 } else { 0.0 },
        };
        world.run(&Command::Joints(&[setpoint; 20])).expect("20 ms");
        let reading = world.arm().reading;
        let numbers = reading.q_rad.iter().chain(&reading.dq_rad_s);
        bits.extend(
            numbers
                .chain([&reading.gripper_width_m])
                .map(|it| it.to_bits()),
        );
    }
    let cameras = world.info().cameras.clone();
    let frames = cameras.iter().map(|camera| {
        let mut frame = Frame::default();
        world
            .look(camera.name, camera.size, Channels::ALL, &mut frame)
            .expect("a picture");
        frame
    });
    (bits, frames.collect())
}

#[test]
fn the_same_seed_and_commands_give_the_same_states_to_the_bit() {
    let Some(kind) = kind() else { return };
    let mut world = kind.make().expect("a world");
    let first = second(world.as_mut(), 3);
    let other = second(world.as_mut(), 4);
    assert!(first.1 != other.1, "another scene");
    assert!(first == second(world.as_mut(), 3), "after another episode");
    drop(world);
    let mut another = kind.make().expect("a world");
    assert!(first == second(another.as_mut(), 3), "in another process");
}

#[test]
fn the_arm_follows_and_pictures_show_the_things_where_they_are() {
    let Some(kind) = kind() else { return };
    let mut world = kind.make().expect("a world");
    world
        .reset(&spec("lift_red_block_table", 3))
        .expect("an episode");
    let mut q_rad = world.arm().reading.q_rad;
    q_rad[0] += 0.2;
    let setpoint = Setpoint {
        q_rad,
        gripper_width_m: 0.0,
    };
    for _ in 0..50 {
        world.run(&Command::Joints(&[setpoint; 20])).expect("20 ms");
    }
    let arm = world.arm();
    for (found, wanted) in arm.reading.q_rad.iter().zip(q_rad) {
        assert!((found - wanted).abs() < 2e-3, "{arm:?}");
    }
    assert!(arm.reading.gripper_width_m < 0.01, "{arm:?}");
    assert_eq!(world.time_ns(), 1_000_000_000);
    assert!(!world.verdict().success);

    let mut frame = Frame::default();
    world
        .look("static", [200, 200], Channels::ALL, &mut frame)
        .expect("a picture");
    let info = world.info();
    let centre_m = |name: &str| {
        let (label, _) = info
            .labels
            .iter()
            .find(|(_, known)| known == name)
            .expect(name);
        let pixels = frame
            .segmentation
            .iter()
            .enumerate()
            .filter(|(_, it)| *it == label);
        let points: Vec<[f64; 3]> = pixels
            .map(|(at, _)| {
                let depth_m = f64::from(frame.depth_mm[at]) / 1000.0;
                frame.geometry.unproject(at % 200, at / 200, depth_m)
            })
            .collect();
        assert!(points.len() > 50, "{name}: {} pixels", points.len());
        [0, 1, 2]
            .map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64)
    };
    // On the table, in the frame of the robot's base.
    let [x, y, z] = centre_m("red block");
    assert!(
        (0.3..0.75).contains(&x) && (0.25..0.5).contains(&y),
        "{x} {y}"
    );
    assert!((z - 0.23).abs() < 0.02, "{z}");
    let [x, y, _] = centre_m("switch");
    assert!(
        (x - 0.66).abs() < 0.03 && (y - 0.48).abs() < 0.03,
        "{x} {y}"
    );
}

fn chunk(anchor: tiller_core::Pose, step: &HandStep, seq: u64, stamp_ns: u64) -> Chunk {
    let [x, y, z] = step.delta_m;
    let [a, b, c] = step.rotation_rad;
    Chunk {
        seq,
        stamp_ns,
        anchor,
        layout: ActionLayout::pose_deltas(7, [0, 1, 2], [3, 4, 5], Some(6), 10.0),
        execute_steps: 1,
        actions: vec![x, y, z, a, b, c, step.gripper],
        continues: None,
    }
}

#[test]
fn experts_open_the_drawer_through_the_actuator_and_the_oracle_says_so() {
    let Some(kind) = kind() else { return };
    let mut world = kind.make().expect("a world");
    let seed = FIRST_TRAINING_SEED + 5;
    world.reset(&spec("open_drawer", seed)).expect("an episode");
    world.call_expert("open_drawer", seed).expect("an expert");
    let defaults = ActuatorConfig::default();
    let config = ActuatorConfig {
        limits: Limits {
            workspace: world.info().robot.workspace,
            ..defaults.limits
        },
        ..defaults
    };
    let mut actuator = Actuator::new(config, &world.arm().reading, 0).expect("an actuator");
    let mut seq = 0;
    while let Some(step) = world.expert_step(actuator.status().anchor) {
        seq += 1;
        let now_ns = world.time_ns();
        let chunk = chunk(actuator.status().anchor, &step.executed, seq, now_ns);
        actuator.accept(&chunk, now_ns).expect("within the limits");
        for _ in 0..5 {
            let (reading, now_ns) = (world.arm().reading, world.time_ns());
            let ticks = (1..=20).map(|tick| actuator.tick(&reading, now_ns + tick * SETPOINT_NS));
            let setpoint = ticks.last().expect("twenty");
            world.command(&Command::Joints(&[setpoint])).expect("taken");
            world.step().expect("20 ms");
        }
    }
    let verdict = world.verdict();
    assert!(verdict.success, "after {seq} steps: {verdict:?}");
    assert_eq!(verdict.completed, ["open_drawer"]);
}
