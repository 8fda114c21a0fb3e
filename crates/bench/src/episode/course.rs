//! The course of one episode: what the dataflow's nodes do around the loop, in the same rhythm and
//! in simulated time.

use eyre::{Result, eyre};
use tiller_closed_loop::{
    InProcess, LoopEffect, LoopEvent, PlanFailure, PlanReport, PlanRequest, compile_options,
    keep_last_stage, policy_state, program_message,
};
use tiller_core::{EpisodeId, ProgramId, SECOND_NS};
use tiller_grounding::{Grounder, Hand, Keypoint, annotate};
use tiller_messages::{
    ArmCommand, ArmState, Episode, Keypoints, Level, Message, Progress, StageCommand,
};
use tiller_motion::Setpoint;
use tiller_policy::Observation;
use tiller_report::{Decision, Picture, Recorder, Sample};
use tiller_reward::compile;
use tiller_steering::Denoiser;
use tiller_vlm::{AuthorRequest, SceneKeypoint};
use tiller_world::{Channels, Command};

use super::blind::{Blind, reflex};
use super::runner::Runner;
use super::{Ending, EpisodeResult, EpisodeSpec, StageEntry, timed};
use crate::rig::POLICY_STEP_NS;

/// After the program's end the oracle gets this long to see a success that holds, ns.
const GRACE_NS: u64 = 2 * SECOND_NS;

/// The episode's number: there is only one.
const EPISODE: EpisodeId = EpisodeId(1);

fn no_camera() -> eyre::Report {
    eyre!("the world has no camera")
}

/// Words for chunks that the actuator refused.
const REFUSALS: [&str; 9] = [
    "anchor_gap",
    "from_future",
    "malformed",
    "not_accepting",
    "not_continuing",
    "not_finite",
    "other_episode",
    "out_of_order",
    "stale",
];

/// One episode under way.
pub(super) struct Course<'a> {
    runner: &'a mut Runner,
    machines: InProcess,
    spec: &'a EpisodeSpec,
    recorder: Option<&'a mut Recorder>,
    grounder: Option<Grounder>,
    program_sent: bool,
    look_ns: u64,
    result: EpisodeResult,
    /// When and how the program ended.
    over: Option<(u64, String)>,
    /// Why steering failed.
    failed: Option<(Ending, String)>,
    sent: u64,
}

/// The last episode's, if it was of the same settings, or a new one.
fn grounder(runner: &mut Runner) -> Result<Grounder> {
    let wanted = &runner.config.grounding;
    let last = runner.grounder.take();
    if let Some(mut grounder) = last.filter(|grounder| grounder.config() == wanted) {
        grounder.forget()?;
        return Ok(grounder);
    }
    Ok(Grounder::new(wanted.clone())?)
}

impl<'a> Course<'a> {
    pub(super) fn new(
        runner: &'a mut Runner,
        machines: InProcess,
        spec: &'a EpisodeSpec,
        recorder: Option<&'a mut Recorder>,
    ) -> Result<Self> {
        let look_ns = runner.world.info().look_ns;
        let grounder = match &spec.instruction {
            Some(_) => Some(grounder(runner)?),
            None => None,
        };
        Ok(Self {
            runner,
            machines,
            spec,
            recorder,
            grounder,
            program_sent: false,
            look_ns,
            result: EpisodeResult::default(),
            over: None,
            failed: None,
            sent: 0,
        })
    }

    /// Runs to the end.
    pub(super) fn run(mut self) -> Result<EpisodeResult> {
        let episode = Episode {
            id: EPISODE,
            seed: self.spec.seed,
            instruction: self.spec.told.clone(),
            tasks: self.spec.tasks.clone(),
            last: true,
            ..Default::default()
        };
        let episode = self.numbered(episode);
        self.feed(LoopEvent::Episode(episode))?;
        let (ending, reason) = loop {
            if let Some(end) = self.end() {
                break end;
            }
            self.period()?;
        };
        self.runner.grounder = self.grounder.take();
        let verdict = self.runner.world.verdict();
        self.result.completed.clone_from(&verdict.completed);
        self.result.collateral = verdict.collateral.iter().map(ToString::to_string).collect();
        self.result.success = if self.spec.tasks.is_empty() {
            !verdict.completed.is_empty()
        } else {
            verdict.success
        };
        self.result.steps = (self.runner.world.time_ns() / POLICY_STEP_NS) as usize;
        self.result.ending = ending;
        self.result.reason = reason;
        Ok(self.result)
    }

    /// Why the episode ends here, if it does.
    fn end(&self) -> Option<(Ending, String)> {
        let now_ns = self.runner.world.time_ns();
        if self.runner.world.verdict().success {
            let what = if self.spec.tasks.len() == 1 {
                "task is"
            } else {
                "tasks are"
            };
            return Some((Ending::Achieved, format!("the {what} achieved")));
        }
        if self.failed.is_some() {
            return self.failed.clone();
        }
        if now_ns >= self.spec.max_steps as u64 * POLICY_STEP_NS {
            let reason = format!("out of time after {} steps", self.spec.max_steps);
            return Some((Ending::OutOfTime, reason));
        }
        let (since_ns, reason) = self.over.as_ref()?;
        (now_ns >= since_ns + GRACE_NS).then(|| (Ending::ProgramOver, reason.clone()))
    }

    /// One period of the arm: state, setpoints, and every so often a look.
    fn period(&mut self) -> Result<()> {
        let now_ns = self.runner.world.time_ns();
        let measured = self.runner.world.arm();
        let state = self.numbered(ArmState {
            stamp_ns: now_ns,
            episode: EPISODE,
            q_rad: measured.reading.q_rad,
            dq_rad_s: measured.reading.dq_rad_s,
            tcp: measured.base_from_tool,
            gripper_width_m: measured.reading.gripper_width_m,
            ..Default::default()
        });
        let command = self.feed(LoopEvent::Measured(state))?;
        if now_ns.is_multiple_of(self.look_ns) {
            self.look(now_ns)?;
        }
        let command = command.ok_or_else(|| eyre!("the actuator gave no command"))?;
        let setpoints: Vec<Setpoint> = command
            .setpoints()
            .map(|q_rad| Setpoint {
                q_rad,
                gripper_width_m: command.gripper_width_m,
            })
            .collect();
        let world = &mut self.runner.world;
        timed(&mut self.result.time.simulate_s, || {
            world.run(&Command::Joints(&setpoints))
        })?;
        Ok(())
    }

    fn look(&mut self, now_ns: u64) -> Result<()> {
        let steered = self.grounder.is_some();
        let Runner { world, eyes, .. } = &mut *self.runner;
        let channels = if steered {
            Channels::ALL
        } else {
            Channels::COLOUR
        };
        timed(&mut self.result.time.render_s, || {
            eyes.look(world.as_mut(), channels)?;
            eyes.look_elsewhere(world.as_mut())
        })?;
        if self.runner.config.blind == Some(Blind::FrozenImages) {
            self.runner.eyes.freeze()?;
        }
        if let Some(recorder) = &mut self.recorder {
            let frame = self.runner.eyes.first().ok_or_else(no_camera)?;
            let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let picture = Picture::new(&frame.rgb, side(frame.width), side(frame.height))?;
            recorder.add_frame(now_ns, picture);
        }
        self.feed(LoopEvent::Observation(now_ns))?;
        if steered {
            self.ground(now_ns)?;
        }
        Ok(())
    }

    /// Finds keypoints at the first look, and has the program written; follows them at the others.
    fn ground(&mut self, now_ns: u64) -> Result<()> {
        let Some(grounder) = &mut self.grounder else {
            return Ok(());
        };
        let view = self.runner.eyes.scene().ok_or_else(no_camera)?;
        let measured = self.runner.world.arm();
        grounder.hear(Hand {
            stamp_ns: now_ns,
            world_from_tool: measured.base_from_tool,
            gripper_width_m: measured.reading.gripper_width_m,
        });
        let first = !self.program_sent;
        let found = timed(&mut self.result.time.ground_s, || {
            if first {
                grounder.ground(&view).map(|_| ())
            } else {
                grounder.track(&view).map(|_| ())
            }
        });
        if let Err(error) = found {
            let reason = format!("grounding failed: {error}");
            self.failed = Some((Ending::GroundingFailed, reason));
            return Ok(());
        }
        let handicap = self.runner.config.handicap;
        let points = handicap.displaced(grounder.keypoints(), self.spec.seed);
        let keypoints = Keypoints {
            stamp_ns: now_ns,
            episode: EPISODE,
            generation: 1,
            ..Keypoint::columns(&points)
        };
        if first {
            self.program_sent = true;
            self.write_program(&points)?;
        }
        let keypoints = self.numbered(keypoints);
        self.feed(LoopEvent::Keypoints(keypoints)).map(|_| ())
    }

    fn write_program(&mut self, points: &[Keypoint]) -> Result<()> {
        let contract = self.machines.sampler().contract();
        let request = AuthorRequest {
            instruction: self.spec.instruction.clone().unwrap_or_default(),
            hand: compile_options(&contract, 0).hand,
            keypoints: points
                .iter()
                .map(|keypoint| SceneKeypoint {
                    index: keypoint.index,
                    name: keypoint.name.clone(),
                    position_m: keypoint.position_m,
                })
                .collect(),
        };
        let length = contract.points as usize;
        let (author, last_only) = (&self.runner.author, self.runner.config.last_stage_only);
        let handicap = self.runner.config.handicap;
        let written = timed(&mut self.result.time.author_s, || {
            let mut answer = author
                .author(&request)
                .map_err(|error| (Ending::NotUnderstood, format!("no reward program: {error}")))?;
            handicap.shorten(&mut answer.text);
            let options = compile_options(&contract, request.keypoints.len());
            let mut program = compile(&answer.text, &options).map_err(|errors| {
                let text = errors.render(&answer.text);
                let reason = format!("the reward program has errors:\n{text}");
                (Ending::ProgramRefused, reason)
            })?;
            if last_only {
                keep_last_stage(&mut program);
            }
            Ok(program_message(
                &program,
                &answer.text,
                &answer.source,
                length,
            ))
        });
        let message = match written {
            Ok(message) => message,
            Err(failure) => {
                self.failed = Some(failure);
                return Ok(());
            }
        };
        if let Some(recorder) = &mut self.recorder {
            let view = self.runner.eyes.scene().ok_or_else(no_camera)?;
            let picture = annotate(&view, points)?;
            let picture = Picture::new(picture.as_raw(), picture.width(), picture.height())?;
            recorder.set_annotated(picture);
            recorder.set_program(&message.text, &message.source, &message.descriptions);
        }
        let message = self.numbered(tiller_messages::RewardProgram {
            id: ProgramId(1),
            episode: EPISODE,
            generation: 1,
            instruction: request.instruction,
            ..message
        });
        self.feed(LoopEvent::Program(message)).map(|_| ())
    }

    fn numbered<M: Message>(&mut self, mut message: M) -> M {
        self.sent += 1;
        message.number(1, self.sent);
        message
    }

    /// Feeds the loop and does what it says; gives the command for the arm, if there is one.
    fn feed(&mut self, event: LoopEvent) -> Result<Option<ArmCommand>> {
        let now_ns = self.runner.world.time_ns();
        let mut command = None;
        for effect in self.machines.on(event, now_ns) {
            match effect {
                LoopEffect::Command(answer) => command = Some(answer),
                LoopEffect::Plan(request) => {
                    let report = self.plan(&request);
                    let due_ns = now_ns + self.runner.config.planning_ns;
                    self.machines.planned(report, due_ns);
                }
                LoopEffect::Observe(_) => self.show()?,
                LoopEffect::ForgetHistory => {
                    let Runner {
                        observer, policy, ..
                    } = &mut *self.runner;
                    observer.forget(policy);
                }
                LoopEffect::Stage(stage) => self.on_stage(&stage, now_ns),
                LoopEffect::Progress(progress) => self.on_progress(&progress),
                LoopEffect::Safety(event) => {
                    self.result.refused += usize::from(REFUSALS.contains(&event.kind.as_str()));
                }
                LoopEffect::Tell(notice) if notice.level == Level::Error => {
                    let ending = match notice.code.as_str() {
                        "program_refused" => Ending::ProgramRefused,
                        "no_progress" | "stage_refused" => Ending::RewardFailed,
                        _ => Ending::PlanningFailed,
                    };
                    self.failed.get_or_insert((ending, notice.text));
                }
                LoopEffect::Query(_)
                | LoopEffect::Candidates(_)
                | LoopEffect::Execution(_)
                | LoopEffect::Tell(_) => {}
            }
        }
        Ok(command)
    }

    /// Shows the policy what there is to see between two plans.
    fn show(&mut self) -> Result<()> {
        let Runner {
            observer,
            policy,
            eyes,
            world,
            told: (components, state),
            ..
        } = &mut *self.runner;
        let measured = world.arm();
        let arm = ArmState {
            tcp: measured.base_from_tool,
            gripper_width_m: measured.reading.gripper_width_m,
            ..Default::default()
        };
        policy_state(components, &arm, state);
        timed(&mut self.result.time.render_s, || eyes.draw())?;
        let images = eyes.policy_images();
        let observation = Observation {
            images: &images,
            state,
            environment: &[],
            // Nobody who reads has a history.
            instruction: "",
        };
        let stamp_ns = eyes.first().ok_or_else(no_camera)?.stamp_ns;
        timed(&mut self.result.time.encode_s, || {
            observer.observe(policy, stamp_ns, &observation)
        })?;
        Ok(())
    }

    fn plan(&mut self, request: &PlanRequest) -> PlanReport {
        let Runner {
            observer,
            policy,
            gaussian,
            planner,
            eyes,
            config,
            world,
            told: (components, state),
            ..
        } = &mut *self.runner;
        policy_state(components, &request.arm, state);
        let time = &mut self.result.time;
        let is_gaussian = config.blind.is_some_and(Blind::is_gaussian);
        let drawn = match is_gaussian {
            true => Ok(()),
            false => timed(&mut time.render_s, || eyes.draw()),
        };
        let images = eyes.policy_images();
        let observation = Observation {
            images: &images,
            state,
            environment: &[],
            instruction: &request.instruction,
        };
        if is_gaussian {
            let floor_m = world.info().robot.workspace.bounds.min_m[2];
            let height_m = request.arm.tcp.position_m[2] - floor_m;
            let ruled = config.blind == Some(Blind::Reflex);
            let opening = ruled.then(|| reflex(height_m, request.arm.gripper_width_m));
            gaussian.set_fingers(opening);
        }
        let encoded = match (is_gaussian, drawn) {
            (true, _) => Ok(()),
            (false, Err(error)) => Err(error.to_string()),
            (false, Ok(())) => timed(&mut time.encode_s, || {
                observer.encode(policy, request.observation_ns, &observation)
            })
            .map_err(|error| error.to_string()),
        };
        let denoiser: &mut dyn Denoiser = if is_gaussian { gaussian } else { policy };
        let outcome = match encoded {
            Ok(()) => {
                timed(&mut time.plan_s, || planner.plan(denoiser, request)).map_err(|error| {
                    PlanFailure {
                        code: error.code().to_owned(),
                        text: format!("planning failed: {error}"),
                    }
                })
            }
            Err(error) => Err(PlanFailure {
                code: "no_observation".to_owned(),
                text: error,
            }),
        };
        match &outcome {
            Ok(plan) => {
                time.denoise_s += super::seconds(plan.timings.denoiser);
                self.result.chunks += 1;
            }
            // The dataflow goes on and tries again; a benchmark has nothing to wait for.
            Err(failure) => {
                let failure = (Ending::PlanningFailed, failure.text.clone());
                self.failed.get_or_insert(failure);
            }
        }
        PlanReport {
            id: request.id,
            seen: Vec::new(),
            spent_ns: self.runner.config.planning_ns,
            outcome: outcome.map(Box::new),
        }
    }

    fn on_stage(&mut self, stage: &StageCommand, now_ns: u64) {
        if self.result.stages.last().is_some_and(|last| {
            (last.visit, last.kind.as_str()) == (stage.visit, stage.kind.as_str())
        }) {
            return;
        }
        self.result.stages.push(StageEntry {
            time_s: now_ns as f64 * 1e-9,
            stage: stage.stage,
            visit: stage.visit,
            kind: stage.kind.clone(),
            reason: stage.reason.clone(),
        });
        if stage.is_over() {
            self.over.get_or_insert((now_ns, stage.reason.clone()));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.add_decision(Decision::from(stage));
        }
    }

    fn on_progress(&mut self, progress: &Progress) {
        if let Some(recorder) = &mut self.recorder {
            recorder.add_sample(Sample::from(progress));
        }
    }
}
