//! One episode after the other.

use std::path::PathBuf;
use std::time::Instant;

use eyre::{OptionExt, Result, WrapErr};
use tiller_grounding::{GroundingConfig, annotate};
use tiller_motion::{ActionStep, Chunk, Continuation, Mode};
use tiller_policy::{Bundle, Observation, Policy, Provider, RuntimeOptions, Supply};
use tiller_report::{Picture, Recorder, Sample};
use tiller_sampler::{CarryOn, Pilot, PilotConfig, Plan, Request};
use tiller_stages::{Decision, DecisionKind, StageConfig};
use tiller_world::Channels;

use super::cpu::thread_cpu_s;
use super::eyes::Eyes;
use super::guide::{Body, Guide};
use super::{Ending, EpisodeResult, EpisodeSpec, PhaseTimes, StageEntry, seconds, timed};
use crate::rig::{POLICY_STEP_NS, Rig};
use crate::subject::Subject;

/// Numbers in the state that policies are shown: TCP x, y, z and gripper width, metres.
const STATE: usize = 4;

/// After the program's end the world gets this many steps to see a success: things may still be
/// coming to rest.
const GRACE_STEPS: usize = 10;

/// What all episodes have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerConfig {
    /// Folder of the policy bundle.
    pub policy: PathBuf,
    /// Threads that one policy may use.
    pub threads: usize,
    /// Processor that runs the policy.
    pub provider: Provider,
    /// Sampling and steering; the bundle says how many sampling steps and how many executed steps.
    pub pilot: PilotConfig,
    /// Stage switching.
    pub stages: StageConfig,
    /// Steers by a program's last stage from the start, instead of one stage after the other.
    pub last_stage_only: bool,
    /// Keypoints.
    pub grounding: GroundingConfig,
    /// Steps of a chunk that are left when the next one is planned, as if planning took that long;
    /// 0 plans at rest.
    pub ahead_steps: usize,
}

/// Runs episodes; holds a world, its cameras and a policy.
pub struct Runner {
    config: RunnerConfig,
    subject: Subject,
    rig: Rig,
    eyes: Eyes,
    policy: Policy,
    pilot: Pilot,
    rate_hz: f64,
}

/// The course of one episode.
struct Course {
    result: EpisodeResult,
    start_ns: u64,
    /// Steps of the current chunk that are over.
    executed: usize,
    /// The last plan.
    plan: Option<Plan>,
    /// Whether it is what the actuator executes.
    under_way: bool,
    /// Steps since the program ended.
    grace: usize,
}

impl Runner {
    /// Loads world and policy.
    ///
    /// # Errors
    /// When the bundle is not sound, or the world or ONNX Runtime does not start.
    pub fn new(subject: &Subject, config: RunnerConfig) -> Result<Self> {
        let bundle = Bundle::load(&config.policy)?;
        let info = subject.kind.info();
        let cameras: Vec<&str> = info.cameras.iter().map(|camera| camera.name).collect();
        bundle.check_supply(&Supply {
            cameras: &cameras,
            state: STATE,
            environment: 0,
        })?;
        let options = RuntimeOptions {
            threads: config.threads,
            provider: config.provider,
            ..RuntimeOptions::default()
        };
        let policy = Policy::open(&bundle, &options)?;
        let manifest = bundle.manifest();
        let pilot = pilot(&policy, &config.pilot)?;
        let rig = Rig::new(subject.kind.as_ref()).wrap_err("cannot make the world")?;
        let eyes = Eyes::new(info);
        let rate_hz = manifest.rate_hz;
        Ok(Self {
            config,
            subject: subject.clone(),
            rig,
            eyes,
            policy,
            pilot,
            rate_hz,
        })
    }

    /// The processor that runs the policy.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.policy.provider()
    }

    /// Samples, steers and switches stages as `config` says from now on. Policy, processor and threads
    /// stay as they are.
    ///
    /// # Errors
    /// When the settings do not fit the policy; nothing has changed then.
    pub fn steer_as(&mut self, config: &RunnerConfig) -> Result<()> {
        if config.pilot != self.config.pilot {
            self.pilot = pilot(&self.policy, &config.pilot)?;
        }
        self.config = RunnerConfig {
            policy: self.config.policy.clone(),
            threads: self.config.threads,
            provider: self.config.provider,
            ..config.clone()
        };
        Ok(())
    }

    /// Runs one episode and, if there is a recorder, fills it.
    ///
    /// # Errors
    /// When rendering or inference fails. That steering could not begin, or that the reward broke,
    /// is no error: the episode has failed, with the reason in its result.
    pub fn run(
        &mut self,
        spec: &EpisodeSpec,
        mut recorder: Option<&mut Recorder>,
    ) -> Result<EpisodeResult> {
        let (start, cpu_start_s) = (Instant::now(), thread_cpu_s());
        self.rig.reset(&tiller_world::EpisodeSpec {
            tasks: spec.tasks.clone(),
            seed: spec.seed,
            variation: spec.variation.clone(),
            instruction: spec.instruction.clone(),
        })?;
        self.pilot.clear();
        self.policy.reset();
        let config = &self.config;
        let mut guide = match &spec.instruction {
            Some(text) => Some(Guide::new(
                text,
                self.subject.author.clone(),
                config.grounding.clone(),
                config.stages.clone(),
                config.last_stage_only,
            )?),
            None => None,
        };
        let mut course = Course {
            result: EpisodeResult::default(),
            start_ns: self.rig.world.time_ns(),
            executed: 0,
            plan: None,
            under_way: false,
            grace: 0,
        };
        let (ending, reason) = loop {
            if let Some(end) = self.over(spec, guide.as_ref(), &mut course) {
                break end;
            }
            let step = self.step(spec, guide.as_mut(), &mut course, recorder.as_deref_mut());
            if let Some(end) = step? {
                break end;
            }
        };
        let mut result = course.result;
        let verdict = self.rig.world.verdict();
        result.completed = verdict.completed.clone();
        result.success = if spec.tasks.is_empty() {
            !result.completed.is_empty()
        } else {
            verdict.achieved
        };
        result.ending = ending;
        result.reason = reason;
        result.time.wall_s = seconds(start.elapsed());
        result.cpu_s = thread_cpu_s() - cpu_start_s;
        Ok(result)
    }

    /// Why the episode ends here, if it does.
    fn over(
        &self,
        spec: &EpisodeSpec,
        guide: Option<&Guide>,
        course: &mut Course,
    ) -> Option<(Ending, String)> {
        if self.rig.world.verdict().achieved {
            let what = if spec.tasks.len() == 1 {
                "task is"
            } else {
                "tasks are"
            };
            return Some((Ending::Achieved, format!("the {what} achieved")));
        }
        if course.result.steps >= spec.max_steps {
            let reason = format!("out of time after {} steps", spec.max_steps);
            return Some((Ending::OutOfTime, reason));
        }
        if guide.is_some_and(Guide::is_over) {
            course.grace += 1;
            if course.grace > GRACE_STEPS {
                let last = course.result.stages.last();
                let reason = last.map_or_else(String::new, |entry| entry.reason.clone());
                return Some((Ending::ProgramOver, reason));
            }
        }
        None
    }

    /// Looks, decides, plans when due, and moves for one policy step. Returns why steering failed,
    /// if it did.
    fn step(
        &mut self,
        spec: &EpisodeSpec,
        mut guide: Option<&mut Guide>,
        course: &mut Course,
        mut recorder: Option<&mut Recorder>,
    ) -> Result<Option<(Ending, String)>> {
        let in_motion = self.steps_under_way(course);
        let mut due = match (in_motion, &course.plan) {
            (Some(left), _) => left <= self.config.ahead_steps,
            (None, Some(plan)) => course.executed >= plan.execute_steps,
            (None, None) => true,
        };
        let mut same_goal = true;
        // A policy with a memory sees every step.
        let remembers = self.policy.manifest().observation_steps > 1;
        self.look(
            guide.is_some(),
            due || remembers || recorder.is_some(),
            &mut course.result.time,
        )?;
        let body = self.body();
        if let Some(guide) = &mut guide {
            let view = self.eyes.scene().ok_or_eyre("the world has no camera")?;
            let fresh = guide.program.is_none();
            let decided = guide.observe(&view, &body, &mut self.pilot, &mut course.result.time);
            let decisions = match decided {
                Ok(decisions) => decisions,
                Err(error) => return Ok(Some((error.ending(), error.to_string()))),
            };
            // Another visit is another goal: what is left of the old chunk leads elsewhere.
            same_goal = !decisions.iter().any(changes_goal);
            due |= !same_goal;
            for decision in &decisions {
                note(course, decision, &body, recorder.as_deref_mut());
            }
            if fresh && let Some(recorder) = &mut recorder {
                let picture = annotate(&view, guide.keypoints())?;
                recorder.set_annotated(Picture::new(
                    picture.as_raw(),
                    picture.width(),
                    picture.height(),
                )?);
                if let Some(program) = &guide.program {
                    recorder.set_program(&program.text, &program.source, &program.stages);
                }
            }
        }
        if let Some(recorder) = &mut recorder {
            let frame = self.eyes.first().ok_or_eyre("the world has no camera")?;
            let [width, height] = [frame.width, frame.height].map(|edge| edge as u32);
            recorder.add_frame(body.now_ns, Picture::new(&frame.rgb, width, height)?);
        }
        if guide.as_ref().is_some_and(|guide| guide.is_over()) {
            self.rest(&body, course);
        } else if due {
            let joint = in_motion.map(|left| CarryOn {
                step: self.rig.status().chunk_step as usize,
                frozen: left.min(self.config.ahead_steps),
                same_goal,
            });
            let planned = self.plan(spec, guide.as_deref(), &body, joint, course)?;
            if let Err(reason) = planned {
                return Ok(Some((Ending::PlanningFailed, reason)));
            }
        } else if remembers {
            self.show(&body, false, &mut course.result.time)?;
        }
        if let (Some(recorder), Some(guide)) = (&mut recorder, &guide) {
            recorder.add_sample(sample(guide, course, &body));
        }
        timed(&mut course.result.time.simulate_s, || {
            self.rig.advance(POLICY_STEP_NS)
        })?;
        course.executed += 1;
        course.result.steps += 1;
        Ok(None)
    }

    /// Steps yet to be executed of a plan that the next one may carry on.
    fn steps_under_way(&self, course: &Course) -> Option<usize> {
        let plan = course.plan.as_ref().filter(|_| course.under_way)?;
        let status = self.rig.status();
        if self.config.ahead_steps == 0 || status.mode != Mode::Executing {
            return None;
        }
        let left = plan.execute_steps.checked_sub(status.chunk_step as usize)?;
        (left > 0).then_some(left)
    }

    /// Looks through the first camera, as much of it as is needed.
    fn look(&mut self, ground: bool, colour: bool, time: &mut PhaseTimes) -> Result<()> {
        let channels = match (ground, colour) {
            (true, _) => Channels::ALL,
            (false, true) => Channels::COLOUR,
            (false, false) => return Ok(()),
        };
        timed(&mut time.render_s, || {
            self.eyes.look(self.rig.world.as_mut(), channels)
        })?;
        Ok(())
    }

    fn body(&self) -> Body {
        Body {
            now_ns: self.rig.world.time_ns(),
            end_effector_m: self.rig.tool_m(),
            anchor_m: self.rig.anchor_m(),
            gripper_width_m: self.rig.reading().gripper_width_m,
        }
    }

    /// Shows the policy what there is to see, and has it encoded when a chunk is to be planned.
    fn show(&mut self, body: &Body, encode: bool, time: &mut PhaseTimes) -> Result<()> {
        timed(&mut time.render_s, || {
            self.eyes.look_elsewhere(self.rig.world.as_mut())
        })?;
        let [x, y, z] = body.end_effector_m;
        let state: [f32; STATE] = [x, y, z, body.gripper_width_m].map(|value| value as f32);
        let images = self.eyes.policy_images();
        let observation = Observation {
            images: &images,
            state: &state,
            environment: &[],
        };
        timed(&mut time.encode_s, || {
            if encode {
                self.policy.encode(&observation).map(|_| ())
            } else {
                self.policy.observe(&observation)
            }
        })?;
        Ok(())
    }

    /// Plans a chunk and hands it to the actuator. The inner error says why steering failed.
    fn plan(
        &mut self,
        spec: &EpisodeSpec,
        guide: Option<&Guide>,
        body: &Body,
        joint: Option<CarryOn>,
        course: &mut Course,
    ) -> Result<Result<(), String>> {
        let time = &mut course.result.time;
        self.show(body, true, time)?;
        let request = Request {
            keypoints: guide.map_or(&[], Guide::points),
            anchor_m: body.anchor_m,
            end_effector_m: body.end_effector_m,
            guidance: guide.is_some_and(Guide::guidance),
            seed: spec.seed,
            chunk_index: course.result.chunks as u64,
            carry_on: joint,
        };
        let planned = timed(&mut time.plan_s, || {
            self.pilot.plan(&mut self.policy, &request)
        });
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(format!("planning failed: {error}"))),
        };
        time.denoise_s += seconds(plan.timings.denoiser);
        course.result.chunks += 1;
        course.under_way = self.rig.accept(self.chunk(&plan, body, joint)).is_ok();
        if !course.under_way {
            course.result.refused += 1;
        }
        course.executed = 0;
        course.plan = Some(plan);
        Ok(Ok(()))
    }

    /// Brings the arm to rest where it is, with the gripper as it is.
    fn rest(&mut self, body: &Body, course: &mut Course) {
        let still = ActionStep {
            delta_position_m: [0.0; 3],
            gripper: 0.0,
        };
        let chunk = Chunk {
            seq: 0,
            stamp_ns: body.now_ns,
            anchor_position_m: body.anchor_m,
            rate_hz: self.rate_hz,
            execute_steps: 1,
            steps: vec![still],
            continues: None,
        };
        course.under_way = false;
        if self.rig.accept(chunk).is_err() {
            course.result.refused += 1;
        }
    }

    fn chunk(&self, plan: &Plan, body: &Body, joint: Option<CarryOn>) -> Chunk {
        let space = self.policy.action_space();
        let step = |row: &[f32]| ActionStep {
            delta_position_m: space.position_columns.map(|column| f64::from(row[column])),
            gripper: space
                .gripper_column
                .map_or(0.0, |column| f64::from(row[column])),
        };
        Chunk {
            seq: 0,
            stamp_ns: body.now_ns,
            anchor_position_m: body.anchor_m,
            rate_hz: self.rate_hz,
            execute_steps: plan.execute_steps,
            steps: plan.chunk.chunks_exact(plan.action_dim).map(step).collect(),
            continues: joint.map(|joint| Continuation {
                seq: self.rig.status().chunk_seq,
                step: joint.step,
                frozen: joint.frozen,
            }),
        }
    }
}

/// A pilot for the policy, which says how many steps are sampled and executed.
fn pilot(policy: &Policy, config: &PilotConfig) -> Result<Pilot> {
    let manifest = policy.manifest();
    let mut config = config.clone();
    config.execute_steps = manifest.execute_steps;
    policy.configure(&mut config.steering);
    Ok(Pilot::new(config, policy.action_space(), manifest.horizon)?)
}

fn changes_goal(decision: &Decision) -> bool {
    !matches!(
        decision.kind,
        DecisionKind::GuidanceOn | DecisionKind::GuidanceOff
    )
}

fn note(course: &mut Course, decision: &Decision, body: &Body, recorder: Option<&mut Recorder>) {
    course.result.stages.push(StageEntry {
        time_s: (body.now_ns - course.start_ns) as f64 * 1e-9,
        stage: decision.stage,
        visit: decision.visit,
        kind: decision.kind.to_string(),
        reason: decision.reason.clone(),
    });
    if let Some(recorder) = recorder {
        recorder.add_decision(tiller_report::Decision {
            stamp_ns: body.now_ns,
            stage: decision.stage,
            kind: decision.kind.to_string(),
            reason: decision.reason.clone(),
        });
    }
}

/// What the plots show of this moment: progress now, and the last plan of this visit.
fn sample(guide: &Guide, course: &Course, body: &Body) -> Sample {
    let reading = guide.reading;
    let plan = course.plan.as_ref().filter(|plan| plan.steered);
    let planned = plan.filter(|plan| plan.reading.visit == reading.visit);
    Sample {
        stamp_ns: body.now_ns,
        stage: reading.stage,
        planned: planned.map_or(reading.planned, |plan| plan.reading.planned),
        achieved: reading.achieved,
        done: reading.done,
        strength: plan.map_or(0.0, |plan| plan.strength),
        reward: plan.map_or(0.0, |plan| f64::from(plan.rewards[plan.selected])),
    }
}
