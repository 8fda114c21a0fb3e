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

/// Points of a judged trajectory: where the hand is, and where it might be.
const POINTS: usize = 4;
/// Longest step of 100 ms, m and rad.
const STEP_M: f64 = 0.020;
const STEP_RAD: f64 = 0.25;
/// Shares of the longest step that are tried.
const SHARES: [f64; 6] = [1.0, 0.5, 0.25, 0.1, 0.03, 0.0];
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
    /// The value of going to a hand at once, with its gradient there.
    fn judge(&mut self, from: &Hand, to: &Hand) -> (f64, Pull) {
        let row = |at: usize| if at == 0 { from } else { to };
        let positions: Vec<f64> = (0..POINTS).flat_map(|at| row(at).position_m).collect();
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
            pull.direction += Vector3::from_column_slice(&p[3 * at..3 * at + 3]);
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

/// The hand a step further along the gradient: of some lengths the best.
fn ahead(program: &Program, stage: usize, keypoints: &[[f64; 3]], hand: &Hand) -> (Hand, f64) {
    let mut judge = Judge {
        evaluator: Evaluator::new(&program.stages[stage].guidance, 1),
        keypoints: keypoints.to_vec(),
    };
    let (_, pull) = judge.judge(hand, hand);
    let mut best = hand.clone();
    let direction = STEP_M * unit(pull.direction);
    let axis = STEP_RAD * unit(pull.axis);
    let moved = |share: f64| Hand {
        position_m: std::array::from_fn(|i| hand.position_m[i] + share * direction[i]),
        ..best.clone()
    };
    best = pick(&mut judge, hand, SHARES.map(moved));
    let turned = |share: f64| Hand {
        rotation: hand.turned(share * axis),
        ..best.clone()
    };
    best = pick(&mut judge, hand, SHARES.map(turned));
    (best, pull.opens)
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

/// Follows the program of an episode; how far it came and after how many steps.
fn follow(
    world: &mut LiberoWorld,
    task: &str,
    seed: u64,
    access: HandAccess,
) -> (bool, usize, String) {
    world
        .reset(&EpisodeSpec {
            tasks: vec![task.to_owned()],
            seed,
            ..EpisodeSpec::default()
        })
        .unwrap();
    let mut eye = Eye::new(world);
    let seen = eye.look(world).to_vec();
    let instruction = world.kind().task(task).unwrap().instruction;
    let scene = seen.iter().map(|keypoint| SceneKeypoint {
        index: keypoint.index,
        name: keypoint.name.clone(),
        position_m: keypoint.position_m,
    });
    let request = AuthorRequest {
        instruction,
        keypoints: scene.collect(),
        hand: access,
    };
    let text = match EmbeddedAuthor.author(&request) {
        Ok(answer) => answer.text,
        Err(error) => return (false, 0, error.to_string()),
    };
    let options = CompileOptions {
        hand: access,
        ..CompileOptions::new(seen.len(), POINTS)
    };
    let program =
        compile(&text, &options).unwrap_or_else(|errors| panic!("{}", errors.render(&text)));
    let places = |seen: &[Keypoint]| seen.iter().map(|k| k.position_m).collect::<Vec<_>>();
    let (mut stage, mut points, mut width_m) = (0, places(&seen), 0.08);
    let mut start = points.clone();
    let mut told = String::new();
    let mut entered = 0;
    for step in 0..250 {
        let hand = Hand::of(world);
        let opened_m = world.arm().reading.gripper_width_m;
        let moment = Moment {
            rotation: hand.rows(),
            gripper_width_m: opened_m,
            ..Moment::at(&points, &start, hand.position_m)
        };
        let done = program.stages[stage].done.as_ref().unwrap();
        if done.value(&moment).unwrap() >= 0.0 {
            told += &format!("{}:{} ", stage + 1, step - entered);
            if std::env::var("FOLLOW_VERBOSE").is_ok() {
                eprintln!(
                    "   {step} done {} hand {:.3?} width {:.4} points {:.3?}",
                    program.stages[stage].description, hand.position_m, opened_m, points
                );
            }
            if stage + 1 == program.stages.len() && step - entered > 20 {
                return (false, step, told + "ended");
            }
            if stage + 1 < program.stages.len() {
                stage += 1;
                entered = step;
                start.clone_from(&points);
            }
        }
        if step - entered > 60 {
            break;
        }
        let (to, opens) = ahead(&program, stage, &points, &hand);
        if opens.abs() > 1e-9 {
            width_m = if opens > 0.0 { 0.08 } else { 0.0 };
        }
        let down = nalgebra::UnitQuaternion::from_matrix(&to.rotation);
        let pose = Pose {
            position_m: to.position_m,
            quaternion_wxyz: [down.w, down.i, down.j, down.k],
        };
        let q_rad = world.arm().reading.q_rad;
        // Any joints with that pose will do: the world follows the pose.
        let limits = Limits::panda().joint;
        let seeds = [q_rad, kinematics::HOME_Q];
        let mut found = seeds
            .iter()
            .flat_map(|seed| kinematics::inverse(&pose, seed, &limits));
        let q_rad = found.next().unwrap_or(q_rad);
        let setpoint = Setpoint {
            q_rad,
            gripper_width_m: width_m,
        };
        world.run(&Command::Joints(&[setpoint; 100])).unwrap();
        if world.verdict().achieved {
            return (true, step + 1, told);
        }
        points = places(eye.look(world));
        if std::env::var("FOLLOW_TRACE").is_ok() {
            eprintln!(
                "{step} {stage} hand {:.3?} z axis {:.2?} w {:.3} kp {:.3?}",
                hand.position_m,
                hand.rotation.column(2).as_slice(),
                opened_m,
                points[0]
            );
        }
    }
    let hand = Hand::of(world);
    told += &format!(
        "stuck in {} ({}) at {:.3?}, points {:.3?}",
        stage + 1,
        program.stages[stage].description,
        hand.position_m,
        points
    );
    (false, 250, told)
}

#[test]
fn programs_lead_to_their_goals() {
    let Ok(packs) = std::env::var("TILLER_LIBERO_PACKS") else {
        eprintln!("without TILLER_LIBERO_PACKS there is nothing to follow");
        return;
    };
    let kind = kind(Path::new(&packs)).unwrap();
    let mut world = kind.world();
    let tasks = std::env::var("FOLLOW_TASKS");
    let tasks = tasks.unwrap_or_else(|_| {
        "libero_goal_1,libero_goal_2,libero_goal_4,libero_goal_5,libero_goal_6,libero_goal_8"
            .to_owned()
    });
    let seeds: u64 = std::env::var("FOLLOW_SEEDS").map_or(3, |n| n.parse().unwrap());
    let mut solved = 0;
    let mut count = 0;
    for task in tasks.split(',') {
        for seed in 0..seeds {
            let (success, steps, told) = follow(&mut world, task, seed, HandAccess::WHOLE);
            eprintln!("{task} {seed} {success} {steps} {told}");
            solved += usize::from(success);
            count += 1;
        }
    }
    eprintln!("{solved} of {count}");
}
