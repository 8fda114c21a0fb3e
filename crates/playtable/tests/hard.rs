//! The hard suites: scenes are possible, what spoils them is seen, and programs lead where they should.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test")]

use nalgebra::{Matrix3, Vector3};
use tiller_author_testing::Follower;
use tiller_core::ActionLayout;
use tiller_grounding::{FrameView, Grounder, GroundingConfig};
use tiller_motion::{Actuator, ActuatorConfig, Chunk};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_reward::HandAccess;
use tiller_world::{
    Channels, Command, EpisodeSpec, Frame, HARD, HandStep, Variation, World, WorldKind,
};

const STEP_NS: u64 = 100_000_000;
const FIRST_SEED: u64 = 300;

/// A world and the actuator that moves its arm.
struct Rig {
    world: Box<dyn World>,
    actuator: Actuator,
    seq: u64,
}

impl Rig {
    fn new(task: &str, strength: u8, seed: u64) -> Self {
        let mut world = tiller_playtable::kind().make().unwrap();
        world
            .reset(&EpisodeSpec {
                tasks: vec![task.to_owned()],
                seed,
                variation: Some(Variation {
                    axis: HARD.to_owned(),
                    strength,
                }),
                instruction: None,
            })
            .unwrap();
        let actuator = Actuator::new(ActuatorConfig::default(), &world.arm().reading, 0).unwrap();
        Self {
            world,
            actuator,
            seq: 0,
        }
    }

    fn step(&mut self, step: HandStep) {
        self.seq += 1;
        let now_ns = self.world.time_ns();
        let numbers = step.delta_m.into_iter().chain(step.rotation_rad);
        let chunk = Chunk {
            seq: self.seq,
            stamp_ns: now_ns,
            anchor: self.actuator.status().anchor,
            layout: ActionLayout::pose_deltas(7, [0, 1, 2], [3, 4, 5], Some(6), 10.0),
            execute_steps: 1,
            actions: numbers.chain([step.gripper]).collect(),
            continues: None,
        };
        self.actuator.accept(&chunk, now_ns).unwrap();
        while self.world.time_ns() < now_ns + STEP_NS {
            let (reading, now_ns) = (self.world.arm().reading, self.world.time_ns());
            let setpoints =
                [1, 2].map(|tick| self.actuator.tick(&reading, now_ns + tick * 1_000_000));
            self.world.run(&Command::Joints(&setpoints)).unwrap();
        }
    }

    /// Has the scripted hand do a task, and waits for what was asked for to hold.
    fn script(&mut self, task: &str) {
        self.world.call_expert(task, 0).unwrap();
        let mut last = HandStep::default();
        for _ in 0..300 {
            if self.world.verdict().success {
                return;
            }
            let anchor = self.actuator.status().anchor;
            let step = self.world.expert_step(anchor).map(|step| step.executed);
            last = step.unwrap_or(HandStep {
                gripper: last.gripper,
                ..HandStep::default()
            });
            self.step(last);
        }
    }
}

fn tasks() -> Vec<String> {
    let info = tiller_playtable::kind().info().clone();
    let suites = info.suites();
    let hard = suites.iter().find(|suite| suite.name == HARD).unwrap();
    hard.tasks.clone()
}

#[test]
fn every_task_is_possible_at_every_strength() {
    for task in tasks() {
        for strength in 1..=3 {
            let mut rig = Rig::new(&task, strength, FIRST_SEED);
            rig.script(&task);
            let verdict = rig.world.verdict();
            assert!(verdict.success, "{task} {strength}");
            assert_eq!(verdict.completed, [task.as_str()]);
            assert!(
                verdict.collateral.is_empty(),
                "{task} {strength}: {:?}",
                verdict.collateral
            );
        }
    }
}

#[test]
fn the_wrong_one_of_twins_is_a_failure() {
    let mut rig = Rig::new("twins_left", 2, FIRST_SEED);
    rig.script("twins_right");
    assert!(!rig.world.verdict().achieved);
    let told: Vec<_> = rig
        .world
        .verdict()
        .collateral
        .iter()
        .map(|it| it.thing.as_str())
        .collect();
    assert!(
        told.len() == 1 && told[0].starts_with("red block"),
        "{told:?}"
    );
    // Whatever comes after.
    rig.script("twins_left");
    assert!(!rig.world.verdict().success);
}

#[test]
fn the_camera_sees_all_that_the_suites_add() {
    let info = tiller_playtable::kind().info().clone();
    let camera = info.cameras[0].clone();
    let (mut frame, mut seen) = (Frame::default(), Vec::new());
    for task in tasks() {
        let mut rig = Rig::new(&task, 1, FIRST_SEED);
        rig.world
            .look(camera.name, camera.size, Channels::ALL, &mut frame)
            .unwrap();
        for (id, name) in &info.labels {
            let pixels = frame
                .segmentation
                .iter()
                .filter(|label| *label == id)
                .count();
            if pixels >= 25 && !seen.contains(name) {
                seen.push(name.clone());
            }
        }
    }
    // Switch and button are put away.
    let missing: Vec<_> = info
        .labels
        .iter()
        .filter(|(_, name)| !seen.contains(name))
        .collect();
    assert!(
        missing
            .iter()
            .all(|(_, name)| name == "switch" || name == "button"),
        "{missing:?}"
    );
}

#[test]
fn a_touched_post_is_a_failure() {
    let mut rig = Rig::new("obstacle_lift", 3, FIRST_SEED);
    let down = HandStep {
        delta_m: [0.0, 0.0, -0.02],
        gripper: -1.0,
        ..HandStep::default()
    };
    for _ in 0..6 {
        rig.step(down);
    }
    let across = HandStep {
        delta_m: [0.0, 0.02, 0.0],
        ..down
    };
    for _ in 0..10 {
        rig.step(across);
    }
    // The hand is 6 cm wide; where it has passed the post, that was touched.
    let told = rig.world.verdict().collateral.clone();
    let post = told.iter().find(|it| it.thing == "post");
    assert!(
        post.is_some_and(|it| it.what.contains("forbidden")),
        "{told:?}"
    );
    rig.script("obstacle_lift");
    assert!(!rig.world.verdict().success);
}

/// Tasks that need no turned hand, by what the shipped policies have; the others by all that a hand can do.
#[test]
fn programs_lead_to_their_goals() {
    let kind = tiller_playtable::kind();
    let mut world = kind.make().unwrap();
    let mut failed = Vec::new();
    for task in tasks() {
        let follower = Follower {
            author: &EmbeddedAuthor,
            hand: HandAccess::WHOLE,
            step_m: 0.010,
            step_rad: 0.10,
            patience: 60,
            instruction: None,
        };
        let mut solved = 0;
        let mut told = String::new();
        for seed in FIRST_SEED..FIRST_SEED + 4 {
            let outcome = follower
                .follow(world.as_mut(), &task, seed, &|_, _| None)
                .unwrap();
            solved += u32::from(outcome.success);
            if !outcome.success {
                told += &format!("\n  {seed}: {}", outcome.told);
            }
        }
        eprintln!("{task}: {solved} of 4{told}");
        if solved < 3 {
            failed.push(format!("{task}: {solved} of 4{told}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// How a thing lies is told from its shape: the scripted hand, which knows, turns its x axis along the block.
#[test]
fn the_long_block_lies_along_its_first_axis() {
    let info = tiller_playtable::kind().info().clone();
    let camera = info.cameras[0].clone();
    let mut frame = Frame::default();
    for seed in [300, 303, 304, 307] {
        let mut rig = Rig::new("yaw_lift", 2, seed);
        rig.world
            .look(camera.name, camera.size, Channels::ALL, &mut frame)
            .unwrap();
        let mut grounder = Grounder::new(GroundingConfig {
            counts: [("long block".to_owned(), 2)].into(),
            ..GroundingConfig::default()
        })
        .unwrap();
        let keypoints = grounder
            .ground(&FrameView {
                width: frame.width,
                height: frame.height,
                rgb: &frame.rgb,
                depth_mm: Some(&frame.depth_mm),
                segmentation: Some(&frame.segmentation),
                labels: &info.labels,
                focal: frame.geometry.focal,
                principal_point: frame.geometry.principal_point,
                world_from_camera: frame.geometry.world_from_camera,
                stamp_ns: 0,
            })
            .unwrap();
        let mut on_block = keypoints
            .iter()
            .filter(|point| point.object == "long block");
        let axes = Matrix3::from(on_block.next().unwrap().axes).transpose();
        assert_eq!(
            axes.transpose(),
            Matrix3::from(on_block.next().unwrap().axes)
        );
        assert!((axes.determinant() - 1.0).abs() < 1e-9);
        rig.script("yaw_lift");
        let hand = rig.world.arm().base_from_tool.rotation();
        let cosine = (hand * Vector3::x()).dot(&axes.column(0)).abs();
        let angle_deg = cosine.min(1.0).acos().to_degrees();
        assert!(angle_deg < 6.0, "seed {seed}: {angle_deg} degrees, {axes}");
    }
}
