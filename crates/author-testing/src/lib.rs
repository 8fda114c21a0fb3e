//! Follows an author's programs by their gradient alone, with no policy, in any world whose arm takes joint set-points:
//! whether their targets are right.
//!
//! Keypoints are grounded and tracked in the pictures of the world's first camera, every [`RobotInfo`](tiller_world::RobotInfo)'s look; the hand
//! goes where the gradient leads, through the same actuator and limits as any policy's chunks.

mod eye;
mod pull;

use nalgebra::{Matrix3, Rotation3};
use tiller_core::ActionLayout;
use tiller_motion::{Actuator, ActuatorConfig, Chunk, Limits};
use tiller_reward::{CompileOptions, HandAccess, Moment, Program, compile};
use tiller_vlm::{Author, AuthorRequest, SceneKeypoint};
use tiller_world::{Command, EpisodeSpec, Frame, SETPOINT_NS, World};

pub use eye::view;

use eye::Eye;
use pull::{Hand, Longest, POINTS};

/// An instruction in a scene of named keypoints (m, in the frame of the arm's base), for a hand of which rewards read
/// positions alone.
#[must_use]
pub fn request_in(scene: &[(&str, [f64; 3])], instruction: &str) -> AuthorRequest {
    let keypoints = scene.iter().enumerate();
    let keypoints = keypoints.map(|(index, (name, position_m))| SceneKeypoint {
        index,
        name: (*name).to_owned(),
        position_m: *position_m,
    });
    AuthorRequest {
        instruction: instruction.to_owned(),
        keypoints: keypoints.collect(),
        hand: HandAccess::POSITIONS,
    }
}

/// Whatever went wrong that says nothing about a program.
pub type FollowError = Box<dyn std::error::Error>;

/// Time of a step, ns.
const STEP_NS: u64 = 100_000_000;

/// How programs are followed.
#[derive(Debug, Clone, Copy)]
pub struct Follower<'a> {
    /// Who writes them.
    pub author: &'a dyn Author,
    /// What of the hand rewards may move.
    pub hand: HandAccess,
    /// Longest step of 100 ms, m and rad.
    pub step_m: f64,
    /// The same of turns.
    pub step_rad: f64,
    /// A stage that takes more steps has failed.
    pub patience: u32,
    /// What is asked for, where it is not the task's own instruction.
    pub instruction: Option<&'a str>,
}

/// What came of an episode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the world's judge says so, be it for a moment.
    pub success: bool,
    /// The tasks that the judge saw done.
    pub completed: Vec<String>,
    /// How long the stages took, in steps; where it failed, in which stage and how things stood.
    pub told: String,
}

/// An orientation that a policy would see for itself and no reward asks for, from the first picture.
pub type Sight<'a> = &'a dyn Fn(&Frame, &dyn World) -> Option<Matrix3<f64>>;

impl Follower<'_> {
    /// Follows the program for a task from its first picture on. Where `sight` tells how the hand is to be turned, it is
    /// turned so and not as the gradient says.
    ///
    /// # Errors
    /// When the world, the grounding or the program's evaluation fails.
    pub fn follow(
        &self,
        world: &mut dyn World,
        task: &str,
        seed: u64,
        sight: Sight<'_>,
    ) -> Result<Outcome, FollowError> {
        world.reset(&EpisodeSpec {
            tasks: vec![task.to_owned()],
            seed,
            ..EpisodeSpec::default()
        })?;
        let mut eye = Eye::new(world)?;
        let seen = eye.look(world)?;
        let keypoints = seen.iter().map(|keypoint| SceneKeypoint {
            index: keypoint.index,
            name: keypoint.name.clone(),
            position_m: keypoint.position_m,
        });
        let keypoints: Vec<_> = keypoints.collect();
        let points: Vec<_> = keypoints.iter().map(|point| point.position_m).collect();
        let kind = world.kind();
        let instruction = match self.instruction {
            Some(instruction) => instruction.to_owned(),
            None => kind.task(task).ok_or("no such task")?.instruction,
        };
        let answer = self.author.author(&AuthorRequest {
            instruction,
            keypoints,
            hand: self.hand,
        });
        let text = match answer {
            Ok(answer) => answer.text,
            Err(refusal) => {
                return Ok(Outcome {
                    success: false,
                    completed: Vec::new(),
                    told: refusal.to_string(),
                });
            }
        };
        let options = CompileOptions {
            hand: self.hand,
            ..CompileOptions::new(points.len(), POINTS)
        };
        let program = compile(&text, &options).map_err(|errors| errors.render(&text))?;
        let turned = sight(&eye.frame, world);
        let defaults = ActuatorConfig::default();
        let config = ActuatorConfig {
            limits: Limits {
                workspace: world.info().robot.workspace,
                ..defaults.limits
            },
            ..defaults
        };
        let actuator = Actuator::new(config, &world.arm().reading, 0)?;
        let episode = Episode {
            rotation: actuator.status().anchor.matrix(),
            follower: self,
            world,
            eye,
            actuator,
            program,
            points,
            turned,
            opening: 1.0,
            seq: 0,
        };
        episode.run()
    }
}

/// An episode in which a program is followed.
struct Episode<'a> {
    follower: &'a Follower<'a>,
    world: &'a mut dyn World,
    eye: Eye,
    actuator: Actuator,
    program: Program,
    points: Vec<[f64; 3]>,
    turned: Option<Matrix3<f64>>,
    /// What was asked for last and goes on where nothing is.
    rotation: Matrix3<f64>,
    opening: f64,
    seq: u64,
}

impl Episode<'_> {
    fn run(mut self) -> Result<Outcome, FollowError> {
        let (mut stage, mut entered) = (0, 0);
        let mut start = self.points.clone();
        let mut told = String::new();
        for step in 0.. {
            if self.is_done(stage, &start)? && stage + 1 < self.program.stages.len() {
                told += &format!("{} ", step - entered);
                (stage, entered) = (stage + 1, step);
                start.clone_from(&self.points);
            }
            if step - entered > self.follower.patience {
                break;
            }
            self.step(stage)?;
            let verdict = self.world.verdict();
            if verdict.success || verdict.achieved {
                let told = format!("{told}; {} steps", step + 1);
                return Ok(Outcome {
                    success: true,
                    completed: self.world.verdict().completed.clone(),
                    told,
                });
            }
        }
        let arm = self.world.arm();
        let description = &self.program.stages[stage].description;
        let axes = arm.base_from_tool.matrix();
        told += &format!(
            "; not: {description}, hand {:.3?}, points {:.2?}, fingers {:.3} m, keypoints {:.3?}",
            arm.base_from_tool.position_m,
            axes.column(2).as_slice(),
            arm.reading.gripper_width_m,
            self.points
        );
        Ok(Outcome {
            success: false,
            completed: self.world.verdict().completed.clone(),
            told,
        })
    }

    fn is_done(&self, stage: usize, start: &[[f64; 3]]) -> Result<bool, FollowError> {
        let arm = self.world.arm();
        let hand = Hand::at(arm.base_from_tool, self.opening);
        let moment = Moment {
            rotation: hand.rows(),
            gripper_width_m: arm.reading.gripper_width_m,
            ..Moment::at(&self.points, start, arm.base_from_tool.position_m)
        };
        let Some(done) = &self.program.stages[stage].done else {
            return Ok(false);
        };
        Ok(done.value(&moment)? >= 0.0)
    }

    /// 100 ms along a stage's gradient.
    fn step(&mut self, stage: usize) -> Result<(), FollowError> {
        let anchor = self.actuator.status().anchor;
        let hand = Hand::at(anchor, self.opening);
        let longest = Longest {
            m: self.follower.step_m,
            rad: self.follower.step_rad,
        };
        let step = pull::step(&self.program, stage, &self.points, &hand, longest)?;
        if step.opens.abs() > 1e-9 {
            self.opening = if step.opens > 0.0 { 1.0 } else { 0.0 };
        }
        if self.program.stages[stage].guidance.reads().rotations {
            self.rotation = step.rotation;
        }
        let wanted = self.turned.unwrap_or(self.rotation);
        let turn = Rotation3::from_matrix(&(wanted * hand.rotation.transpose())).scaled_axis();
        let turn = turn * (longest.rad / turn.norm().max(longest.rad));
        self.seq += 1;
        let actions = step.delta_m.iter().chain(turn.iter()).copied();
        let now_ns = self.world.time_ns();
        let chunk = Chunk {
            seq: self.seq,
            stamp_ns: now_ns,
            anchor,
            layout: ActionLayout::pose_deltas(7, [0, 1, 2], [3, 4, 5], Some(6), 10.0),
            execute_steps: 1,
            actions: actions.chain([2.0 * self.opening - 1.0]).collect(),
            continues: None,
        };
        self.actuator
            .accept(&chunk, now_ns)
            .map_err(|refusal| format!("step {}: {refusal}", self.seq))?;
        let step_ns = self.world.info().robot.step_ns;
        while self.world.time_ns() < now_ns + STEP_NS {
            let (reading, now_ns) = (self.world.arm().reading, self.world.time_ns());
            let ticks = 1..=step_ns / SETPOINT_NS;
            let setpoints: Vec<_> = ticks
                .map(|tick| self.actuator.tick(&reading, now_ns + tick * SETPOINT_NS))
                .collect();
            self.world.run(&Command::Joints(&setpoints))?;
        }
        if self.world.time_ns() % self.world.info().look_ns < STEP_NS {
            let seen = self.eye.look(self.world)?;
            self.points = seen.iter().map(|keypoint| keypoint.position_m).collect();
        }
        Ok(())
    }
}
