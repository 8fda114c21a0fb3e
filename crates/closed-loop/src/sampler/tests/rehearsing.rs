//! Dry plans of programs that wait for a decision.

use tiller_messages::ProposalState;

use super::*;

fn proposal(id: ProgramId) -> Proposal {
    Proposal {
        id,
        episode: EPISODE,
        generation: 1,
        text: TEXT.to_owned(),
        descriptions: vec!["reach".into(), "pull".into()],
        ..Default::default()
    }
}

/// One that sees the scene and has no program.
fn waiting() -> Rig {
    let mut rig = Rig::new(|_| {});
    rig.begin(EPISODE);
    rig.see(0);
    rig
}

impl Rig {
    fn rehearsal(&self) -> Option<&PlanRequest> {
        self.effects.iter().find_map(|effect| match effect {
            SamplerEffect::Rehearse(request) => Some(&**request),
            _ => None,
        })
    }

    fn dry_plan(&self) -> Option<&DryPlan> {
        self.effects.iter().find_map(|effect| match effect {
            SamplerEffect::DryPlan(plan) => Some(plan),
            _ => None,
        })
    }

    fn rehearsed(&mut self, id: u64, outcome: Result<Box<Plan>, PlanFailure>) {
        let seen = Seen {
            stamp_ns: 7,
            frames_ns: Vec::new(),
            arm_ns: 0,
        };
        self.on(SamplerEvent::Rehearsed(PlanReport {
            id,
            seen: vec![seen],
            spent_ns: 1,
            outcome,
        }));
    }
}

fn plan() -> Box<Plan> {
    Box::new(Plan {
        rewards: vec![-0.3, -0.1],
        candidates: [0.4, 0.0, 0.2].repeat(2 * POINTS),
        selected: 1,
        ..still()
    })
}

#[test]
fn a_waiting_program_gets_a_dry_plan_and_nothing_else_happens() {
    let mut rig = waiting();
    rig.on(SamplerEvent::Proposal(proposal(PROGRAM)));
    let request = rig.rehearsal().unwrap().clone();
    assert_eq!(rig.effects.len(), 1, "{:?}", rig.effects);
    assert_eq!((request.visit.program, request.visit.stage), (PROGRAM, 1));
    assert!(request.program.is_some() && request.carry_on.is_none());
    rig.see(STEP_NS);
    assert!(rig.rehearsal().is_none(), "one is enough");
    rig.rehearsed(request.id, Ok(plan()));
    let plan = rig.dry_plan().unwrap();
    assert_eq!(
        (plan.program, plan.particles, plan.selected),
        (PROGRAM, 2, 1)
    );
    assert_eq!((plan.stage, plan.stamp_ns), (1, 7));
    assert_eq!(plan.rewards, [-0.3, -0.1]);
    assert_eq!(rig.effects.len(), 1, "{:?}", rig.effects);
    rig.rehearsed(request.id, Ok(self::plan()));
    assert!(rig.effects.is_empty(), "a second answer counts for nothing");
    // Approved, it is planned as if nothing had been planned before.
    let approve = |rig: &mut Rig| {
        rig.on(SamplerEvent::Program(program(PROGRAM)));
        rig.and(SamplerEvent::Stage(stage(PROGRAM, 1, 1)));
        rig.request().cloned()
    };
    let rehearsed = approve(&mut rig).unwrap();
    let mut plain = waiting();
    plain.see(STEP_NS);
    let plain = approve(&mut plain).unwrap();
    assert_eq!(format!("{rehearsed:?}"), format!("{plain:?}"));
    assert_eq!((rehearsed.id, rehearsed.chunk_index), (1, 0));
    let same = |request: &PlanRequest| (request.seed, request.chunk_index, request.gain);
    assert_eq!(same(&rehearsed), same(&request), "of the same randomness");
}

#[test]
fn nothing_is_rehearsed_while_the_arm_follows_a_program_unless_it_is_paused() {
    let mut rig = Rig::ready();
    rig.answer(1);
    rig.state(STEP_NS, 1, 1);
    rig.see(STEP_NS);
    rig.on(SamplerEvent::Proposal(proposal(ProgramId(9))));
    assert!(rig.rehearsal().is_none());
    rig.state(2 * STEP_NS, 1, 2);
    assert!(rig.request().is_some() && rig.rehearsal().is_none());
    let paused = ExecutionState {
        mode: ExecutionMode::Paused,
        stamp_ns: 3 * STEP_NS,
        ..rig.sampler.execution.clone().unwrap()
    };
    rig.on(SamplerEvent::Execution(paused));
    assert_eq!(rig.rehearsal().unwrap().visit.program, ProgramId(9));
    assert!(rig.request().is_none());
}

#[test]
fn what_is_decided_about_or_cannot_be_planned_is_told_or_left() {
    for state in ProposalState::ALL {
        let mut rig = waiting();
        rig.on(SamplerEvent::Proposal(Proposal {
            state: *state,
            ..proposal(PROGRAM)
        }));
        let is_proposed = *state == ProposalState::Proposed;
        assert_eq!(rig.rehearsal().is_some(), is_proposed, "{state:?}");
    }
    let mut rig = waiting();
    let spoilt = TEXT.replace("keypoints[0]", "keypoints[9]");
    rig.on(SamplerEvent::Proposal(Proposal {
        text: spoilt,
        ..proposal(PROGRAM)
    }));
    let told = rig.dry_plan().unwrap();
    assert!(told.problem.contains("keypoints"), "{}", told.problem);
    assert_eq!((told.program, told.particles), (PROGRAM, 0));
    rig.see(STEP_NS);
    assert!(rig.effects.iter().all(|effect| !matches!(
        effect,
        SamplerEffect::DryPlan(_) | SamplerEffect::Rehearse(_)
    )));
    let failed = PlanFailure {
        code: "all_particles_lost".into(),
        text: "none is left".into(),
    };
    rig.on(SamplerEvent::Proposal(proposal(ProgramId(8))));
    let id = rig.rehearsal().unwrap().id;
    rig.rehearsed(id, Err(failed));
    assert_eq!(rig.dry_plan().unwrap().problem, "none is left");
}

#[test]
fn a_proposal_waits_for_its_episode_and_grounding_and_a_newer_one_voids_it() {
    let mut rig = waiting();
    let next = Proposal {
        episode: EpisodeId(5),
        ..proposal(PROGRAM)
    };
    rig.on(SamplerEvent::Proposal(next));
    assert!(rig.rehearsal().is_none(), "of another episode");
    let begins = Episode {
        id: EpisodeId(5),
        seed: 8,
        ..Default::default()
    };
    rig.on(SamplerEvent::Episode(begins));
    rig.on(SamplerEvent::Observation { stamp_ns: STEP_NS });
    rig.and(SamplerEvent::Keypoints(Keypoints {
        episode: EpisodeId(5),
        ..keypoints(STEP_NS)
    }));
    let first = rig.rehearsal().unwrap().id;
    rig.on(SamplerEvent::Proposal(Proposal {
        episode: EpisodeId(5),
        generation: 2,
        ..proposal(ProgramId(8))
    }));
    assert!(rig.rehearsal().is_none(), "its keypoints have not come");
    rig.rehearsed(first, Ok(plan()));
    assert!(rig.dry_plan().is_none(), "of a program that waits no more");
}
