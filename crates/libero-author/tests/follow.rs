//! Programs followed by their gradient alone, with no policy, on LIBERO's packs: whether the targets are right.
//!
//! `TILLER_LIBERO_PACKS=FOLDER cargo test --release -p tiller-libero-author --test follow -- --nocapture`; without packs
//! there is nothing to follow, and the test says so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::Path;

use nalgebra::{Matrix3, Vector3};
use tiller_core::{Pose, Trajectories, TrajectoriesMut};
use tiller_grounding::{FrameView, Grounder, GroundingConfig, Keypoint};
use tiller_libero::{Channels, Frame, LiberoWorld, kind};
use tiller_libero_author::EmbeddedAuthor;
use tiller_motion::limits::Limits;
use tiller_motion::{Setpoint, kinematics};
use tiller_reward::{CompileOptions, Evaluator, HandAccess, Moment, Program, Scene, compile};
use tiller_vlm::{Author, AuthorRequest, SceneKeypoint};
use tiller_world::{Command, EpisodeSpec, World};

/// Points of a judged trajectory, 100 ms apart.
const POINTS: usize = 4;
/// Longest step of 100 ms, m and rad.
const STEP_M: f64 = 0.020;
const STEP_RAD: f64 = 0.25;
/// Steps that are judged, of which the first is made.
const AHEAD: f64 = (POINTS - 1) as f64;
/// Moves that make them up.
const MOVES: usize = 5;
/// Shares of the longest move that are tried.
const SHARES: [f64; 6] = [1.0, 0.5, 0.25, 0.1, 0.03, 0.0];
/// A stage that takes more steps has failed.
const PATIENCE: u32 = 60;
const SIDE: usize = 256;

/// The camera's image, and what is grounded in it.
struct Eye {
    frame: Frame,
    grounder: Grounder,
    grey: Vec<u8>,
    labels: Vec<(u8, String)>,
}

impl Eye {
    fn new(world: &LiberoWorld) -> Self {
        let config = GroundingConfig {
            ignored: vec!["robot".to_owned()],
            ..Default::default()
        };
        Self {
            frame: Frame::default(),
            grounder: Grounder::new(config).unwrap(),
            grey: vec![0; 3 * SIDE * SIDE],
            labels: world.info().labels.clone(),
        }
    }

    fn look(&mut self, world: &mut LiberoWorld) -> &[Keypoint] {
        let channels = Channels {
            colour: false,
            ..Channels::ALL
        };
        let size = [SIDE; 2];
        world
            .look("static", size, channels, &mut self.frame)
            .unwrap();
        let view = FrameView {
            width: SIDE,
            height: SIDE,
            rgb: &self.grey,
            depth_mm: Some(&self.frame.depth_mm),
            segmentation: Some(&self.frame.segmentation),
            labels: &self.labels,
            focal: self.frame.geometry.focal,
            principal_point: self.frame.geometry.principal_point,
            world_from_camera: self.frame.geometry.world_from_camera,
            stamp_ns: self.frame.stamp_ns,
        };
        if self.grounder.generation() == 0 {
            self.grounder.ground(&view).unwrap()
        } else {
            self.grounder.track(&view).unwrap()
        }
    }
}

/// The hand as rewards see it.
#[derive(Clone)]
struct Hand {
    position_m: [f64; 3],
    rotation: Matrix3<f64>,
    opening: f64,
}

impl Hand {
    fn of(world: &LiberoWorld) -> Self {
        let arm = world.arm();
        Self {
            position_m: arm.base_from_tool.position_m,
            rotation: arm
                .base_from_tool
                .rotation()
                .to_rotation_matrix()
                .into_inner(),
            opening: (arm.reading.gripper_width_m / 0.08).clamp(0.0, 1.0),
        }
    }

    fn rows(&self) -> [[f64; 3]; 3] {
        std::array::from_fn(|row| std::array::from_fn(|column| self.rotation[(row, column)]))
    }

    fn turned(&self, by_rad: Vector3<f64>) -> Matrix3<f64> {
        nalgebra::Rotation3::new(by_rad).into_inner() * self.rotation
    }
}

/// Where the gradient of a stage leads.
struct Pull {
    direction: Vector3<f64>,
    axis: Vector3<f64>,
    opens: f64,
}

struct Judge {
    evaluator: Evaluator<f64>,
    keypoints: Vec<[f64; 3]>,
}

impl Judge {
    /// The value of going evenly to a hand, turned and with its fingers as there at once, with its gradient there.
    fn judge(&mut self, from: &Hand, to: &Hand) -> (f64, Pull) {
        let row = |at: usize| if at == 0 { from } else { to };
        let share = |at: usize| at as f64 / (POINTS - 1) as f64;
        let along = |at: usize, i: usize| {
            from.position_m[i] + share(at) * (to.position_m[i] - from.position_m[i])
        };
        let positions: Vec<f64> = (0..3 * POINTS).map(|n| along(n / 3, n % 3)).collect();
        let rotations: Vec<f64> = (0..POINTS).flat_map(|at| row(at).rows().concat()).collect();
        let gripper: Vec<f64> = (0..POINTS).map(|at| row(at).opening).collect();
        let (mut p, mut r, mut g) = (
            vec![0.0; 3 * POINTS],
            vec![0.0; 9 * POINTS],
            vec![0.0; POINTS],
        );
        let mut value = [0.0];
        self.evaluator
            .evaluate_whole(
                &Scene::from(&self.keypoints[..]),
                &Trajectories {
                    positions: &positions,
                    rotations: &rotations,
                    gripper: &gripper,
                },
                &mut value,
                Some(TrajectoriesMut {
                    positions: &mut p,
                    rotations: &mut r,
                    gripper: &mut g,
                }),
            )
            .unwrap();
        let mut pull = Pull {
            direction: Vector3::zeros(),
            axis: Vector3::zeros(),
            opens: g[1..].iter().sum(),
        };
        for at in 1..POINTS {
            pull.direction += share(at) * Vector3::from_column_slice(&p[3 * at..3 * at + 3]);
            let slope = Matrix3::from_row_slice(&r[9 * at..9 * at + 9]);
            let turn = slope * row(at).rotation.transpose();
            let turn = turn - turn.transpose();
            pull.axis += Vector3::new(turn[(2, 1)], turn[(0, 2)], turn[(1, 0)]);
        }
        (value[0], pull)
    }
}

fn unit(vector: Vector3<f64>) -> Vector3<f64> {
    let norm = vector.norm();
    if norm > 1e-9 {
        vector / norm
    } else {
        Vector3::zeros()
    }
}

/// The hand some steps further along the gradient: some short moves, each of the best of some lengths.
fn ahead(program: &Program, stage: usize, keypoints: &[[f64; 3]], hand: &Hand) -> (Hand, f64) {
    let mut judge = Judge {
        evaluator: Evaluator::new(&program.stages[stage].guidance, 1),
        keypoints: keypoints.to_vec(),
    };
    let mut best = hand.clone();
    let mut opens = 0.0;
    for _ in 0..MOVES {
        let (_, pull) = judge.judge(hand, &best);
        opens += pull.opens;
        let direction = AHEAD * STEP_M / MOVES as f64 * unit(pull.direction);
        let axis = STEP_RAD / MOVES as f64 * unit(pull.axis);
        let from = best.clone();
        let moved = |share: f64| Hand {
            position_m: std::array::from_fn(|i| from.position_m[i] + share * direction[i]),
            ..from.clone()
        };
        best = pick(&mut judge, hand, SHARES.map(moved));
        let from = best.clone();
        let turned = |share: f64| Hand {
            rotation: from.turned(share * axis),
            ..from.clone()
        };
        best = pick(&mut judge, hand, SHARES.map(turned));
    }
    (best, opens)
}

fn pick(judge: &mut Judge, from: &Hand, candidates: [Hand; 6]) -> Hand {
    let mut best = (f64::NEG_INFINITY, from.clone());
    for candidate in candidates {
        let (value, _) = judge.judge(from, &candidate);
        if value > best.0 {
            best = (value, candidate);
        }
    }
    best.1
}

/// An episode in which a program is followed.
struct Episode<'w> {
    world: &'w mut LiberoWorld,
    eye: Eye,
    program: Program,
    points: Vec<[f64; 3]>,
    /// What was commanded last and goes on where nothing is asked for.
    rotation: Matrix3<f64>,
    width_m: f64,
}

fn places(seen: &[Keypoint]) -> Vec<[f64; 3]> {
    seen.iter().map(|keypoint| keypoint.position_m).collect()
}

impl<'w> Episode<'w> {
    /// The first look, and the program that is written from it; or why there is none.
    fn begin(world: &'w mut LiberoWorld, task: &str, seed: u64) -> Result<Self, String> {
        let spec = EpisodeSpec {
            tasks: vec![task.to_owned()],
            seed,
            ..EpisodeSpec::default()
        };
        world.reset(&spec).unwrap();
        let mut eye = Eye::new(world);
        let seen = eye.look(world).to_vec();
        let scene = seen.iter().map(|keypoint| SceneKeypoint {
            index: keypoint.index,
            name: keypoint.name.clone(),
            position_m: keypoint.position_m,
        });
        let request = AuthorRequest {
            instruction: world.kind().task(task).unwrap().instruction,
            keypoints: scene.collect(),
            hand: HandAccess::WHOLE,
        };
        let answer = EmbeddedAuthor.author(&request);
        let text = answer.map_err(|error| error.to_string())?.text;
        let options = CompileOptions {
            hand: HandAccess::WHOLE,
            ..CompileOptions::new(seen.len(), POINTS)
        };
        let program =
            compile(&text, &options).unwrap_or_else(|errors| panic!("{}", errors.render(&text)));
        Ok(Self {
            rotation: Hand::of(world).rotation,
            world,
            eye,
            program,
            points: places(&seen),
            width_m: 0.08,
        })
    }

    fn is_done(&self, stage: usize, start: &[[f64; 3]]) -> bool {
        let hand = Hand::of(self.world);
        let moment = Moment {
            rotation: hand.rows(),
            gripper_width_m: self.world.arm().reading.gripper_width_m,
            ..Moment::at(&self.points, start, hand.position_m)
        };
        let done = self.program.stages[stage].done.as_ref().unwrap();
        done.value(&moment).unwrap() >= 0.0
    }

    /// 100 ms along a stage's gradient.
    fn step(&mut self, stage: usize) {
        let mut hand = Hand::of(self.world);
        if !self.program.stages[stage].guidance.reads().rotations {
            hand.rotation = self.rotation;
        }
        let (to, opens) = ahead(&self.program, stage, &self.points, &hand);
        if opens.abs() > 1e-9 {
            self.width_m = if opens > 0.0 { 0.08 } else { 0.0 };
        }
        self.rotation = to.rotation;
        let rotation = nalgebra::UnitQuaternion::from_matrix(&to.rotation);
        let pose = Pose {
            position_m: std::array::from_fn(|i| {
                hand.position_m[i] + (to.position_m[i] - hand.position_m[i]) / AHEAD
            }),
            quaternion_wxyz: [rotation.w, rotation.i, rotation.j, rotation.k],
        };
        // Any joints with that pose will do: the world follows the pose.
        let q_rad = self.world.arm().reading.q_rad;
        let limits = Limits::panda().joint;
        let seeds = [q_rad, kinematics::HOME_Q];
        let mut found = seeds
            .iter()
            .flat_map(|seed| kinematics::inverse(&pose, seed, &limits));
        let setpoint = Setpoint {
            q_rad: found.next().unwrap_or(q_rad),
            gripper_width_m: self.width_m,
        };
        let command = Command::Joints(&[setpoint; 100]);
        self.world.run(&command).unwrap();
        self.points = places(self.eye.look(self.world));
    }
}

/// Whether an episode's goal is reached, and how long the stages took, in steps.
fn follow(world: &mut LiberoWorld, task: &str, seed: u64) -> (bool, String) {
    let mut episode = match Episode::begin(world, task, seed) {
        Ok(episode) => episode,
        Err(refusal) => return (false, refusal),
    };
    let (mut stage, mut entered) = (0, 0);
    let mut start = episode.points.clone();
    let mut told = String::new();
    for step in 0.. {
        if episode.is_done(stage, &start) && stage + 1 < episode.program.stages.len() {
            told += &format!("{} ", step - entered);
            (stage, entered) = (stage + 1, step);
            start.clone_from(&episode.points);
        }
        if step - entered > PATIENCE {
            break;
        }
        episode.step(stage);
        if episode.world.verdict().achieved {
            return (true, format!("{told}; {} steps", step + 1));
        }
    }
    let hand_m = Hand::of(episode.world).position_m;
    let description = &episode.program.stages[stage].description;
    let points = &episode.points;
    (
        false,
        format!("{told}; not: {description}, hand {hand_m:.3?}, keypoints {points:.3?}"),
    )
}

/// The goals that experts show.
const SHOWN: &str = "libero_goal_0,libero_goal_1,libero_goal_2,libero_goal_4,libero_goal_5,libero_goal_6,\
                     libero_goal_7,libero_goal_8";

/// `TILLER_LIBERO_TASKS` (ids with commas between) and `TILLER_LIBERO_STATES` choose others than the goals that experts
/// show, and more or fewer states than 3.
#[test]
fn programs_lead_to_their_goals() {
    let Ok(packs) = std::env::var("TILLER_LIBERO_PACKS") else {
        eprintln!("without TILLER_LIBERO_PACKS there is nothing to follow");
        return;
    };
    let kind = kind(Path::new(&packs)).unwrap();
    let mut world = kind.world();
    let chosen = std::env::var("TILLER_LIBERO_TASKS");
    let tasks = chosen.as_deref().unwrap_or(SHOWN);
    let states = std::env::var("TILLER_LIBERO_STATES").map_or(3, |count| count.parse().unwrap());
    let (mut solved, mut count) = (0, 0);
    for task in tasks.split(',') {
        for seed in 0..states {
            let (success, told) = follow(&mut world, task, seed);
            eprintln!("{task} {seed} {success}: {told}");
            solved += u32::from(success);
            count += 1;
        }
    }
    eprintln!("{solved} of {count}");
    if chosen.is_err() {
        assert!(10 * solved >= 9 * count, "{solved} of {count}");
    }
}
