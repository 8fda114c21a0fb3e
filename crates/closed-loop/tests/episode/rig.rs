//! The whole loop around a policy that wanders and an arm that goes exactly where it is told.

use std::collections::BTreeMap;

use tiller_closed_loop::{
    Actuator, Ahead, InProcess, LoopEffect, LoopEvent, PlanFailure, PlanReport, PlanRequest,
    Planner, PlannerConfig, PolicyFacts, Sampler, SamplerConfig, Switcher, SwitcherConfig,
    program_message,
};
use tiller_core::kinematics::{HOME_Q, forward};
use tiller_core::{EpisodeId, JOINTS, ProgramId, SECOND_NS};
use tiller_messages::{
    ArmCommand, ArmState, Episode, Keypoints, Level, Message, Progress, RewardProgram, StageCommand,
};
use tiller_motion::ActuatorConfig;
use tiller_reward::{CompileOptions, compile};
use tiller_steering::ActionSpace;

use crate::common::{Wanderer, space};

/// Time between two states of the arm, ns.
pub(crate) const PERIOD_NS: u64 = 20_000_000;
/// Time between two looks, ns.
const LOOK_NS: u64 = 100_000_000;

pub(crate) const EPISODE: EpisodeId = EpisodeId(1);

/// What is varied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) horizon: usize,
    pub(crate) execute_start: usize,
    pub(crate) execute_steps: usize,
    pub(crate) rate_hz: f64,
    /// How long every plan takes, ns.
    pub(crate) planning_ns: u64,
    pub(crate) observation_steps: usize,
    pub(crate) ahead: Ahead,
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            horizon: 16,
            execute_start: 0,
            execute_steps: 8,
            rate_hz: 10.0,
            planning_ns: 60_000_000,
            observation_steps: 1,
            ahead: Ahead::Measured,
        }
    }
}

/// What has been said so far.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) commands: Vec<ArmCommand>,
    pub(crate) stages: Vec<StageCommand>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) plans: Vec<PlanRequest>,
    pub(crate) observed: usize,
    /// Kinds of safety events and how often they came.
    pub(crate) safety: BTreeMap<String, usize>,
    /// Notices of more than information.
    pub(crate) warnings: Vec<String>,
    /// When the arm executed no chunk, ns.
    pub(crate) rested: Vec<u64>,
    pub(crate) refused: u64,
}

pub(crate) struct Rig {
    variant: Variant,
    loop_: InProcess,
    planner: Planner,
    denoiser: Wanderer,
    pub(crate) now_ns: u64,
    pub(crate) q_rad: [f64; JOINTS],
    pub(crate) keypoints: Vec<[f64; 3]>,
    pub(crate) heard: Heard,
    seq: u64,
}

impl Rig {
    pub(crate) fn new(variant: Variant) -> Self {
        Self::with_space(variant, space(variant.rate_hz))
    }

    /// A policy of these actions; their rate is the space's own.
    pub(crate) fn with_space(variant: Variant, space: ActionSpace) -> Self {
        let mut config = PlannerConfig {
            execute_steps: variant.execute_steps,
            ..PlannerConfig::default()
        };
        config.steering.execute_start = variant.execute_start;
        let layout = space.layout.clone();
        let action_dim = layout.dim;
        let planner = Planner::new(config, space, variant.horizon).unwrap();
        let sampler = Sampler::new(SamplerConfig {
            ahead: variant.ahead,
            ..SamplerConfig::new(PolicyFacts {
                name: "wanderer".to_owned(),
                points: planner.points(),
                execute_steps: variant.execute_steps,
                observation_steps: variant.observation_steps,
                max_step_m: planner.config().max_step_m,
                layout,
                guide: tiller_steering::Guide::default(),
            })
        });
        // A plan may take as long as a variant says.
        let actuator = Actuator::new(ActuatorConfig {
            max_chunk_age_ns: variant.planning_ns + SECOND_NS,
            ..ActuatorConfig::default()
        });
        let switcher = Switcher::new(SwitcherConfig::default()).unwrap();
        Self {
            loop_: InProcess::new(sampler.unwrap(), switcher, actuator),
            planner,
            denoiser: Wanderer {
                horizon: variant.horizon,
                action_dim,
            },
            variant,
            now_ns: 0,
            q_rad: HOME_Q,
            keypoints: Vec::new(),
            heard: Heard::default(),
            seq: 0,
        }
    }

    /// Where the tool is, m.
    pub(crate) fn tool_m(&self) -> [f64; 3] {
        forward(&self.q_rad).position_m
    }

    /// Begins the episode with a program over these keypoints.
    pub(crate) fn begin(&mut self, text: &str, keypoints: &[[f64; 3]]) {
        self.keypoints = keypoints.to_vec();
        let episode = Episode {
            id: EPISODE,
            seed: 11,
            ..Default::default()
        };
        let episode = self.numbered(episode);
        self.feed(LoopEvent::Episode(episode));
        let points = self.planner.points();
        let program = compile(text, &CompileOptions::new(keypoints.len(), points));
        let program = program.map_err(|errors| errors.render(text)).unwrap();
        let message = RewardProgram {
            id: ProgramId(1),
            episode: EPISODE,
            generation: 1,
            ..program_message(&program, text, "test", points)
        };
        let message = self.numbered(message);
        self.feed(LoopEvent::Program(message));
    }

    fn numbered<M: Message>(&mut self, mut message: M) -> M {
        self.seq += 1;
        message.number(1, self.seq);
        message
    }

    /// One period of the arm, and a look every so often.
    pub(crate) fn period(&mut self) {
        let state = ArmState {
            stamp_ns: self.now_ns,
            episode: EPISODE,
            q_rad: self.q_rad,
            tcp: forward(&self.q_rad),
            gripper_width_m: 0.08,
            ..Default::default()
        };
        let state = self.numbered(state);
        self.feed(LoopEvent::Measured(state));
        if self.now_ns.is_multiple_of(LOOK_NS) {
            self.feed(LoopEvent::Observation(self.now_ns));
            let keypoints = Keypoints {
                stamp_ns: self.now_ns,
                episode: EPISODE,
                generation: 1,
                names: (0..self.keypoints.len()).map(|i| format!("{i}")).collect(),
                xyz_m: self.keypoints.iter().flatten().copied().collect(),
                visible: vec![true; self.keypoints.len()],
                ..Default::default()
            };
            let keypoints = self.numbered(keypoints);
            self.feed(LoopEvent::Keypoints(keypoints));
        }
        let command = self.heard.commands.last().unwrap();
        assert_eq!(command.stamp_ns, self.now_ns, "every state is answered");
        self.q_rad = command.setpoints().last().unwrap();
        self.now_ns += PERIOD_NS;
    }

    /// Runs until `over` or `limit_s` of simulated time; says whether it was over.
    pub(crate) fn run(&mut self, limit_s: f64, mut over: impl FnMut(&Self) -> bool) -> bool {
        let end_ns = self.now_ns + (limit_s * 1e9) as u64;
        while self.now_ns < end_ns {
            self.period();
            if over(self) {
                return true;
            }
        }
        false
    }

    pub(crate) fn feed(&mut self, event: LoopEvent) {
        for effect in self.loop_.on(event, self.now_ns) {
            match effect {
                LoopEffect::Command(command) => self.heard.commands.push(command),
                LoopEffect::Plan(request) => {
                    let report = self.plan(&request);
                    self.heard.plans.push(*request);
                    let due_ns = self.now_ns + self.variant.planning_ns;
                    self.loop_.planned(report, due_ns);
                }
                LoopEffect::Observe(_) => self.heard.observed += 1,
                LoopEffect::Stage(stage) => {
                    // The same is sent again for whoever joins.
                    if self.heard.stages.last() != Some(&stage) {
                        self.heard.stages.push(stage);
                    }
                }
                LoopEffect::Progress(progress) => self.heard.progress.push(progress),
                LoopEffect::Execution(execution) => {
                    if execution.mode != tiller_messages::ExecutionMode::Executing {
                        self.heard.rested.push(execution.stamp_ns);
                    }
                    self.heard.refused = self.heard.refused.max(execution.refused_seq);
                }
                LoopEffect::Safety(event) => {
                    *self.heard.safety.entry(event.kind).or_default() += 1;
                }
                LoopEffect::Tell(notice) if notice.level != Level::Info => {
                    self.heard
                        .warnings
                        .push(format!("{}: {}", notice.code, notice.text));
                }
                LoopEffect::ForgetHistory
                | LoopEffect::Query(_)
                | LoopEffect::Candidates(_)
                | LoopEffect::Tell(_) => {}
            }
        }
    }

    fn plan(&mut self, request: &PlanRequest) -> PlanReport {
        let outcome = self.planner.plan(&mut self.denoiser, request);
        PlanReport {
            id: request.id,
            seen: Vec::new(),
            spent_ns: self.variant.planning_ns,
            outcome: outcome.map(Box::new).map_err(|error| PlanFailure {
                code: error.code().to_owned(),
                text: error.to_string(),
            }),
        }
    }

    /// Nothing was refused, and nobody had anything to complain of.
    pub(crate) fn check_clean(&self, what: &str) {
        let heard = &self.heard;
        assert_eq!(heard.refused, 0, "{what}: {:?}", heard.safety);
        let harmless = ["joined_late", "step_too_large", "outside_workspace"];
        let others = heard.safety.keys();
        let others: Vec<_> = others.filter(|k| !harmless.contains(&k.as_str())).collect();
        assert!(others.is_empty(), "{what}: {:?}", heard.safety);
        assert!(heard.warnings.is_empty(), "{what}: {:?}", heard.warnings);
    }
}

/// Whether two runs did the same, to the bit.
pub(crate) fn is_same(a: &Heard, b: &Heard) -> bool {
    let bits = |heard: &Heard| -> Vec<Vec<u64>> {
        let commands = heard.commands.iter();
        let bits = |command: &ArmCommand| command.q_rad.iter().map(|q| q.to_bits()).collect();
        commands.map(bits).collect()
    };
    bits(a) == bits(b)
        && format!("{:?}{:?}{:?}", a.stages, a.progress, a.safety)
            == format!("{:?}{:?}{:?}", b.stages, b.progress, b.safety)
}
