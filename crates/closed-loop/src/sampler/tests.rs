use tiller_core::{ActionLayout, Continuation, EpisodeId, Pose, ProgramId, SECOND_NS};
use tiller_messages::ExecutionMode;

use super::*;

mod rehearsing;

const STEP_NS: u64 = SECOND_NS / 10;
const POINTS: usize = 9;
const EPISODE: EpisodeId = EpisodeId(4);
const PROGRAM: ProgramId = ProgramId(7);

const TEXT: &str = "num_stages = 2
# Stage 1: reach
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - torch.norm(end_effector - keypoints[0])
# Stage 2: pull
def stage2_guidance(keypoints, action_sequence):
    return (action_sequence[:, -1, 0] - action_sequence[:, 0, 0]).mean()
";

fn facts() -> PolicyFacts {
    PolicyFacts {
        name: "test".to_owned(),
        points: POINTS,
        execute_steps: 4,
        observation_steps: 1,
        max_step_m: 0.03,
        layout: ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0),
        guide: tiller_steering::Guide::default(),
    }
}

/// A sampler and what it said last.
struct Rig {
    sampler: Sampler,
    effects: Vec<SamplerEffect>,
    now_ns: u64,
}

impl Rig {
    fn new(change: impl FnOnce(&mut SamplerConfig)) -> Self {
        let mut config = SamplerConfig::new(facts());
        config.ahead = Ahead::Steps(2);
        change(&mut config);
        Self {
            sampler: Sampler::new(config).unwrap(),
            effects: Vec::new(),
            now_ns: 0,
        }
    }

    /// One that has everything that it needs for a plan.
    fn ready() -> Self {
        let mut rig = Self::new(|_| {});
        rig.begin(EPISODE);
        rig.see(0);
        rig.on(SamplerEvent::Program(program(PROGRAM)));
        rig.on(SamplerEvent::Stage(stage(PROGRAM, 1, 1)));
        rig
    }

    fn on(&mut self, event: SamplerEvent) {
        self.effects.clear();
        self.and(event);
    }

    /// Another event; the effects of those before stay.
    fn and(&mut self, event: SamplerEvent) {
        self.sampler.on(event, self.now_ns, &mut self.effects);
    }

    fn begin(&mut self, id: EpisodeId) {
        self.on(SamplerEvent::Episode(Episode {
            id,
            seed: 3,
            ..Default::default()
        }));
        self.state(0, 0, 0);
    }

    /// Observation and keypoints of one moment.
    fn see(&mut self, stamp_ns: u64) {
        self.on(SamplerEvent::Observation { stamp_ns });
        self.and(SamplerEvent::Keypoints(keypoints(stamp_ns)));
    }

    /// The arm's state while it executes step `step` of chunk `seq`; at rest for `seq` 0.
    fn state(&mut self, stamp_ns: u64, seq: u64, step: u32) {
        self.now_ns = stamp_ns;
        self.on(SamplerEvent::Arm(ArmState {
            stamp_ns,
            episode: EPISODE,
            ..Default::default()
        }));
        self.and(SamplerEvent::Execution(ExecutionState {
            stamp_ns,
            episode: EPISODE,
            mode: if seq == 0 {
                ExecutionMode::Holding
            } else {
                ExecutionMode::Executing
            },
            anchor: Pose {
                position_m: [0.4, 0.0, 0.2],
                ..Pose::IDENTITY
            },
            chunk_session: 1,
            chunk_seq: seq,
            chunk_step: step,
            ..Default::default()
        }));
    }

    fn request(&self) -> Option<&PlanRequest> {
        self.effects.iter().find_map(|effect| match effect {
            SamplerEffect::Plan(request) => Some(&**request),
            _ => None,
        })
    }

    fn chunk(&self) -> Option<&ActionChunk> {
        self.effects.iter().find_map(|effect| match effect {
            SamplerEffect::Chunk(chunk) => Some(chunk),
            _ => None,
        })
    }

    fn notices(&self) -> Vec<&str> {
        let notice = |effect: &'_ SamplerEffect| matches!(effect, SamplerEffect::Tell(_));
        self.effects
            .iter()
            .filter(|effect| notice(effect))
            .map(|effect| match effect {
                SamplerEffect::Tell(notice) => notice.code.as_str(),
                _ => "",
            })
            .collect()
    }

    /// Answers the request with a plan that stays where it is.
    fn answer(&mut self, id: u64) {
        self.on(SamplerEvent::Planned(PlanReport {
            id,
            seen: Vec::new(),
            spent_ns: 1,
            outcome: Ok(Box::new(still())),
        }));
    }
}

/// A plan that stays where it is.
fn still() -> Plan {
    Plan {
        chunk: vec![0.0; 8 * 3],
        horizon: 8,
        action_dim: 3,
        execute_steps: 4,
        steered: true,
        candidates: [0.4, 0.0, 0.2].repeat(POINTS),
        points: POINTS,
        rewards: vec![-0.1],
        selected: 0,
        sample: vec![0.5; 8 * 3],
        path: Vec::new(),
        strength: 0.7,
        ess: 1.0,
        lost: 0,
        weights: Vec::new(),
        trace: Vec::new(),
        resamplings: Vec::new(),
        ancestors: Vec::new(),
        particle_trace: None,
        timings: Default::default(),
    }
}

fn keypoints(stamp_ns: u64) -> Keypoints {
    Keypoints {
        stamp_ns,
        episode: EPISODE,
        generation: 1,
        names: vec!["handle".into(), "cup".into()],
        xyz_m: vec![0.5, 0.1, 0.2, 0.4, -0.2, 0.1],
        visible: vec![true, false],
        ..Default::default()
    }
}

fn program(id: ProgramId) -> RewardProgram {
    RewardProgram {
        id,
        episode: EPISODE,
        generation: 1,
        points: POINTS as u32,
        num_stages: 2,
        text: TEXT.to_owned(),
        descriptions: vec!["reach".into(), "pull".into()],
        has_done: vec![true, false],
        unguided: vec![false, false],
        ..Default::default()
    }
}

fn stage(program: ProgramId, stage: u32, visit: u32) -> StageCommand {
    StageCommand {
        episode: EPISODE,
        program,
        stage,
        visit,
        guidance: true,
        ..Default::default()
    }
}

#[test]
fn a_plan_is_asked_for_when_everything_is_there_whatever_came_first() {
    let mut rig = Rig::new(|_| {});
    rig.on(SamplerEvent::Stage(stage(PROGRAM, 1, 1)));
    rig.on(SamplerEvent::Program(program(PROGRAM)));
    rig.begin(EPISODE);
    assert!(rig.request().is_none(), "nothing has been seen");
    rig.see(0);
    let request = rig.request().unwrap();
    assert_eq!((request.id, request.seed, request.chunk_index), (1, 3, 0));
    assert_eq!(request.visit.stage, 1);
    assert!(request.program.is_some() && request.carry_on.is_none());
    assert_eq!(request.keypoints.len(), 2);
}

#[test]
fn a_plan_becomes_a_chunk_and_one_is_made_at_a_time() {
    let mut rig = Rig::ready();
    let id = rig.request().unwrap().id;
    rig.see(STEP_NS);
    rig.state(STEP_NS, 0, 0);
    assert!(rig.request().is_none(), "one is being made");
    rig.answer(id);
    let chunk = rig.chunk().unwrap();
    assert_eq!((chunk.seq, chunk.stage, chunk.execute_steps), (1, 1, 4));
    assert_eq!(chunk.stamp_ns, 0, "it was planned from what was seen then");
    assert_eq!(chunk.continues, None);
    let progress = rig.effects.iter().find_map(|effect| match effect {
        SamplerEffect::Progress(progress) => Some(progress),
        _ => None,
    });
    assert_eq!(progress.unwrap().guidance_strength, 0.7);
    rig.answer(id);
    assert!(rig.chunk().is_none(), "a second answer counts for nothing");
}

#[test]
fn in_motion_the_next_plan_carries_on_the_chunk_under_way() {
    let mut rig = Rig::ready();
    rig.answer(1);
    rig.see(STEP_NS);
    rig.state(STEP_NS, 1, 1);
    assert!(rig.request().is_none(), "three steps are left");
    rig.state(2 * STEP_NS, 1, 2);
    let request = rig.request().unwrap();
    let carry_on = request.carry_on.as_ref().unwrap();
    let expected = Continuation {
        seq: 1,
        step: 2,
        frozen_steps: 2,
    };
    assert_eq!(carry_on.continuation, expected);
    assert!(carry_on.same_goal);
    assert_eq!(carry_on.under_way.sample.len(), 8 * 3, "the whole sample");
    rig.answer(2);
    assert_eq!(rig.chunk().unwrap().continues, Some(expected));
}

#[test]
fn a_pause_voids_the_plan_in_the_making_and_the_next_is_of_what_is_seen_after_it() {
    let mut rig = Rig::ready();
    rig.answer(1);
    rig.see(2 * STEP_NS);
    rig.state(2 * STEP_NS, 1, 2);
    assert_eq!(rig.request().unwrap().id, 2);
    let mode = |rig: &mut Rig, stamp_ns, mode| {
        let execution = ExecutionState {
            stamp_ns,
            mode,
            ..rig.sampler.execution.clone().unwrap()
        };
        rig.now_ns = stamp_ns;
        rig.on(SamplerEvent::Execution(execution));
    };
    mode(&mut rig, 3 * STEP_NS, ExecutionMode::Stopping);
    rig.answer(2);
    assert!(rig.chunk().is_none(), "it is for a motion that is given up");
    for step in 4..100 {
        rig.on(SamplerEvent::Arm(ArmState {
            stamp_ns: step * STEP_NS,
            episode: EPISODE,
            ..Default::default()
        }));
        // The switcher goes on saying the same.
        rig.on(SamplerEvent::StageStands);
        mode(&mut rig, step * STEP_NS, ExecutionMode::Paused);
        rig.see(step * STEP_NS);
        assert!(rig.request().is_none() && rig.chunk().is_none());
        assert!(rig.notices().is_empty(), "{:?}", rig.notices());
    }
    mode(&mut rig, 100 * STEP_NS, ExecutionMode::Ready);
    assert!(
        rig.request().is_none(),
        "what was seen before it is too old"
    );
    rig.see(100 * STEP_NS);
    let request = rig.request().unwrap();
    assert_eq!((request.visit.stage, request.visit.visit), (1, 1));
    assert!(request.carry_on.is_none());
}

#[test]
fn a_stage_change_makes_the_plan_in_the_making_void_and_another_is_asked_for_at_once() {
    let mut rig = Rig::ready();
    rig.answer(1);
    rig.see(STEP_NS);
    rig.state(2 * STEP_NS, 1, 2);
    assert_eq!(rig.request().unwrap().id, 2);
    rig.on(SamplerEvent::Stage(stage(PROGRAM, 2, 2)));
    let request = rig.request().unwrap();
    assert_eq!((request.id, request.visit.stage), (3, 2));
    assert!(!request.carry_on.as_ref().unwrap().same_goal);
    rig.answer(2);
    assert!(rig.chunk().is_none(), "it was for the stage before");
    rig.answer(3);
    assert_eq!(rig.chunk().unwrap().stage, 2);
}

#[test]
fn the_end_of_a_program_brings_the_arm_to_rest_once() {
    let mut rig = Rig::ready();
    rig.answer(1);
    rig.state(STEP_NS, 1, 1);
    let over = StageCommand {
        finished: true,
        guidance: false,
        ..stage(PROGRAM, 2, 2)
    };
    rig.on(SamplerEvent::Stage(over.clone()));
    let rest = rig.chunk().unwrap();
    assert_eq!((rest.horizon, rest.stage), (1, 0));
    assert_eq!(rest.actions, [0.0; 3]);
    rig.on(SamplerEvent::Stage(over));
    assert!(rig.chunk().is_none());
    rig.see(9 * STEP_NS);
    rig.state(9 * STEP_NS, 0, 0);
    assert!(rig.request().is_none(), "nothing is planned any more");
}

#[test]
fn unsteered_nothing_but_an_observation_is_needed() {
    let mut rig = Rig::new(|config| config.steer = false);
    rig.begin(EPISODE);
    rig.on(SamplerEvent::Observation { stamp_ns: 0 });
    let request = rig.request().unwrap();
    assert!(request.program.is_none() && !request.visit.is_some());
}

#[test]
fn another_episode_voids_everything() {
    let mut rig = Rig::ready();
    assert_eq!(rig.request().unwrap().id, 1);
    let next = Episode {
        id: EpisodeId(5),
        stamp_ns: SECOND_NS,
        seed: 8,
        ..Default::default()
    };
    rig.on(SamplerEvent::Episode(next));
    assert!(matches!(rig.effects[0], SamplerEffect::ForgetHistory));
    rig.answer(1);
    assert!(rig.chunk().is_none(), "a plan of the episode before");
    rig.see(SECOND_NS);
    rig.on(SamplerEvent::Program(program(ProgramId(8))));
    rig.state(SECOND_NS, 0, 0);
    assert!(
        rig.request().is_none(),
        "messages of the episode before are void"
    );
}

#[test]
fn what_is_missing_is_named_within_a_second() {
    let mut cases: Vec<(&str, Rig)> = Vec::new();
    let mut rig = Rig::new(|_| {});
    rig.on(SamplerEvent::Time);
    cases.push(("arm_state", rig));
    let mut rig = Rig::new(|_| {});
    rig.begin(EPISODE);
    rig.on(SamplerEvent::Observation { stamp_ns: 0 });
    cases.push(("keypoints", rig));
    let mut rig = Rig::new(|_| {});
    rig.begin(EPISODE);
    rig.see(0);
    cases.push(("reward_program", rig));
    let mut rig = Rig::new(|_| {});
    rig.begin(EPISODE);
    rig.see(0);
    rig.on(SamplerEvent::Program(program(PROGRAM)));
    cases.push(("stage", rig));
    let mut rig = Rig::new(|_| {});
    rig.begin(EPISODE);
    rig.on(SamplerEvent::Keypoints(keypoints(0)));
    rig.on(SamplerEvent::Program(program(PROGRAM)));
    rig.on(SamplerEvent::Stage(stage(PROGRAM, 1, 1)));
    cases.push(("image", rig));
    for (expected, mut rig) in cases {
        assert!(rig.sampler.wake_at().is_some_and(|at| at <= SECOND_NS));
        rig.now_ns = SECOND_NS;
        rig.on(SamplerEvent::Time);
        let SamplerEffect::Tell(notice) = &rig.effects[0] else {
            panic!("{expected}: {:?}", rig.effects);
        };
        assert_eq!(notice.code, "waiting");
        assert!(
            notice.text.contains(expected),
            "{expected}: {}",
            notice.text
        );
        rig.now_ns = 5 * SECOND_NS;
        rig.on(SamplerEvent::Time);
        assert!(rig.notices().is_empty(), "{expected} is told once");
    }
}

#[test]
fn a_silent_stage_switcher_holds_the_arm_until_it_speaks() {
    let mut rig = Rig::ready();
    let mut ready = Vec::new();
    for step in 1..=80 {
        if step == 70 {
            rig.on(SamplerEvent::StageStands);
        }
        rig.see(step * STEP_NS);
        rig.sampler.in_flight = None;
        rig.state(step * STEP_NS, 0, 0);
        ready.extend(rig.request().map(|_| step));
        if step == 60 {
            let told = rig.sampler.missing(&Due::Now {
                since_ns: 0,
                carry_on: None,
            });
            assert_eq!(told.unwrap().0, "stage");
        }
    }
    assert!(ready.contains(&40) && ready.contains(&75), "{ready:?}");
    assert!(!ready.contains(&60), "{ready:?}");
}

#[test]
fn blind_keypoints_fade_guidance_and_then_hold_the_arm() {
    let mut rig = Rig::ready();
    let full = rig.request().unwrap().gain;
    let blind = |stamp_ns| Keypoints {
        visible: vec![false, false],
        ..keypoints(stamp_ns)
    };
    let mut gains = Vec::new();
    for step in 1..=30 {
        let stamp_ns = step * STEP_NS;
        rig.on(SamplerEvent::Observation { stamp_ns });
        rig.on(SamplerEvent::Keypoints(blind(stamp_ns)));
        rig.sampler.in_flight = None;
        rig.state(stamp_ns, 0, 0);
        gains.extend(rig.request().map(|request| request.gain));
    }
    assert!(gains.windows(2).all(|pair| pair[1] <= 4.0 * full));
    let last = *gains.last().unwrap();
    assert!(last < 0.5 * full, "{gains:?}");
    assert!(
        gains.len() <= 20,
        "two seconds after the last sight it holds"
    );
    let told = rig.sampler.missing(&Due::Now {
        since_ns: 0,
        carry_on: None,
    });
    assert_eq!(told.unwrap().0, "keypoints");
    rig.state(31 * STEP_NS, 0, 0);
    rig.sampler.in_flight = None;
    rig.see(31 * STEP_NS);
    assert!(rig.request().is_some(), "it goes on when something is seen");
}

/// What the stage reads is trusted so far, and was last seen so long ago.
fn trusted(stamp_ns: u64, confidence: [f64; 2], age_ns: u64) -> Keypoints {
    Keypoints {
        confidence: confidence.to_vec(),
        age_ns: vec![age_ns; 2],
        ..keypoints(stamp_ns)
    }
}

#[test]
fn guidance_fades_with_the_confidence_of_what_the_stage_reads() {
    let gain = |confidence| {
        let mut rig = Rig::ready();
        rig.on(SamplerEvent::Observation { stamp_ns: STEP_NS });
        rig.on(SamplerEvent::Keypoints(trusted(STEP_NS, confidence, 0)));
        rig.sampler.in_flight = None;
        rig.state(STEP_NS, 0, 0);
        rig.request().unwrap().gain
    };
    let full = gain([1.0, 1.0]);
    // The stage reads the handle alone.
    assert_eq!(gain([1.0, 0.0]), full);
    assert_eq!(gain([0.3, 1.0]), full);
    let half = gain([0.15, 1.0]);
    assert!((half / full - 0.5).abs() < 1e-3, "{half} of {full}");
    assert_eq!(gain([0.0, 1.0]), 0.0);
}

#[test]
fn while_what_the_stage_reads_is_lost_nothing_is_measured_and_the_arm_holds_in_the_end() {
    let mut rig = Rig::ready();
    let due = Due::Now {
        since_ns: 0,
        carry_on: None,
    };
    let measured = |rig: &Rig| {
        let effects = rig.effects.iter();
        effects
            .filter(|e| matches!(e, SamplerEffect::Progress(_)))
            .count()
    };
    rig.on(SamplerEvent::Keypoints(trusted(0, [1.0, 1.0], 0)));
    assert_eq!(measured(&rig), 1);
    rig.on(SamplerEvent::Keypoints(trusted(
        STEP_NS,
        [0.01, 1.0],
        SECOND_NS,
    )));
    assert_eq!((measured(&rig), rig.sampler.missing(&due)), (0, None));
    rig.on(SamplerEvent::Keypoints(trusted(
        2 * STEP_NS,
        [0.01, 1.0],
        2 * SECOND_NS,
    )));
    let (what, text) = rig.sampler.missing(&due).unwrap();
    assert_eq!(
        (what, text.as_str()),
        ("keypoints", "the handle is lost, for 2000 ms")
    );
    rig.on(SamplerEvent::Keypoints(trusted(3 * STEP_NS, [0.9, 1.0], 0)));
    assert_eq!((measured(&rig), rig.sampler.missing(&due)), (1, None));
}

#[test]
fn bad_states_are_refused_and_told_and_poison_nothing() {
    let mut rig = Rig::ready();
    let good = rig.sampler.arm.clone().unwrap();
    let mut nan = good.clone();
    nan.q_rad[3] = f64::NAN;
    let far = ArmState {
        stamp_ns: 3_600 * SECOND_NS,
        ..good.clone()
    };
    let crooked = ArmState {
        tcp: Pose {
            quaternion_wxyz: [0.0; 4],
            ..good.tcp
        },
        ..good.clone()
    };
    for bad in [nan, far, crooked] {
        rig.on(SamplerEvent::Arm(bad));
        assert_eq!(rig.notices(), ["arm_state_refused"]);
        assert_eq!(rig.sampler.arm.as_ref(), Some(&good));
    }
    rig.answer(1);
    rig.state(STEP_NS, 1, 1);
    assert!(rig.notices().is_empty());
}

#[test]
fn a_program_that_does_not_fit_is_told_and_the_arm_holds() {
    let mut rig = Rig::new(|_| {});
    rig.begin(EPISODE);
    rig.see(0);
    let bad = RewardProgram {
        text: TEXT.replace("[:, -1]", "[:, 40]"),
        ..program(PROGRAM)
    };
    rig.on(SamplerEvent::Program(bad));
    assert_eq!(rig.notices(), ["program_refused"]);
    rig.on(SamplerEvent::Stage(stage(PROGRAM, 1, 1)));
    rig.state(STEP_NS, 0, 0);
    assert!(rig.request().is_none());
    // A repaired one is taken.
    let better = ProgramId(PROGRAM.0 + 1);
    rig.on(SamplerEvent::Program(program(better)));
    rig.on(SamplerEvent::Stage(stage(better, 1, 2)));
    assert!(rig.request().is_some());
}

#[test]
fn failures_are_told_at_once_then_seldom_and_never_end_it() {
    let mut rig = Rig::ready();
    let mut told = Vec::new();
    for step in 1..=40 {
        let id = rig.sampler.requests;
        rig.on(SamplerEvent::Planned(PlanReport {
            id,
            seen: Vec::new(),
            spent_ns: 1,
            outcome: Err(PlanFailure {
                code: "all_particles_lost".to_owned(),
                text: "no particle is left".to_owned(),
            }),
        }));
        told.extend(rig.notices().into_iter().map(str::to_owned));
        rig.see(step * STEP_NS);
        rig.state(step * STEP_NS, 0, 0);
    }
    assert_eq!(told.len(), 5, "{told:?}");
    let id = rig.sampler.requests;
    rig.answer(id);
    assert!(rig.chunk().is_some(), "a better moment goes on");
}

#[test]
fn a_policy_with_a_history_sees_about_one_observation_an_action_step() {
    let mut rig = Rig::new(|config| {
        config.steer = false;
        config.policy.observation_steps = 2;
    });
    rig.begin(EPISODE);
    let mut shown = 0;
    for tick in 0..20 {
        rig.on(SamplerEvent::Observation {
            stamp_ns: tick * STEP_NS / 2,
        });
        let observes = |effect: &&SamplerEffect| matches!(effect, SamplerEffect::Observe { .. });
        shown += rig.effects.iter().filter(observes).count();
    }
    assert!((9..=10).contains(&shown), "{shown}");
}

#[test]
fn what_failed_is_not_tried_again_from_the_same_observation() {
    let mut rig = Rig::ready();
    let failure = |id| {
        SamplerEvent::Planned(PlanReport {
            id,
            seen: Vec::new(),
            spent_ns: 1,
            outcome: Err(PlanFailure {
                code: "all_particles_lost".to_owned(),
                text: "no particle is left".to_owned(),
            }),
        })
    };
    rig.on(failure(1));
    assert!(rig.request().is_none(), "it would fail again at once");
    rig.state(STEP_NS, 0, 0);
    assert!(rig.request().is_none());
    rig.see(STEP_NS);
    assert_eq!(rig.request().unwrap().observation_ns, STEP_NS);
    // For another goal it may go well.
    rig.on(failure(2));
    rig.on(SamplerEvent::Stage(stage(PROGRAM, 2, 2)));
    assert_eq!(rig.request().unwrap().visit.stage, 2);
}

#[test]
fn stamps_far_off_move_nothing_and_are_told() {
    let mut rig = Rig::ready();
    rig.answer(1);
    rig.state(STEP_NS, 1, 1);
    let far_ns = 3_600 * SECOND_NS;
    let execution = rig.sampler.execution.clone().unwrap();
    let late = ExecutionState {
        stamp_ns: far_ns,
        chunk_step: 4,
        ..execution.clone()
    };
    rig.on(SamplerEvent::Execution(late));
    assert_eq!(rig.notices(), ["execution_state_refused"]);
    let crooked = ExecutionState {
        anchor: Pose {
            quaternion_wxyz: [0.0; 4],
            ..Pose::IDENTITY
        },
        ..execution.clone()
    };
    rig.on(SamplerEvent::Execution(crooked));
    assert_eq!(rig.notices(), ["execution_state_refused"]);
    assert_eq!(rig.sampler.execution, Some(execution));
    rig.on(SamplerEvent::Observation { stamp_ns: far_ns });
    assert_eq!(rig.notices(), ["observation_refused"]);
    rig.on(SamplerEvent::Keypoints(keypoints(far_ns)));
    assert_eq!(rig.notices(), ["keypoints_refused"]);
    rig.on(SamplerEvent::Episode(Episode {
        id: EpisodeId(9),
        stamp_ns: far_ns,
        ..Default::default()
    }));
    assert_eq!(rig.notices(), ["episode_refused"]);
    assert_eq!(rig.sampler.episode_id(), EPISODE);
    // Keypoints of before are no news.
    rig.see(STEP_NS);
    assert!(rig.notices().is_empty());
    rig.on(SamplerEvent::Keypoints(keypoints(STEP_NS / 2)));
    assert_eq!(rig.notices(), ["keypoints_refused"]);
    // All of that leaves the next plan where it was.
    rig.see(2 * STEP_NS);
    rig.state(2 * STEP_NS, 1, 2);
    assert!(rig.request().is_some());
}
