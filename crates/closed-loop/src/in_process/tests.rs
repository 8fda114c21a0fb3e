//! An episode whose machines are recorded, and the same told to fresh machines.

use std::collections::VecDeque;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tiller_core::kinematics::{HOME_Q, forward};
use tiller_core::{EpisodeId, JOINTS, ProgramId};
use tiller_motion::ActuatorConfig;
use tiller_reward::{CompileOptions, compile};

use super::*;
use crate::journal::{Recorder, effect_bytes, read};
use crate::{Planner, PlannerConfig, PolicyFacts, SamplerConfig, SwitcherConfig, program_message};
use common::{KEYPOINTS, PROGRAM, Wanderer, space};

#[path = "../../tests/common/mod.rs"]
mod common;

const PERIOD_NS: u64 = 20_000_000;
const LOOK_NS: u64 = 100_000_000;
const PLANNING_NS: u64 = 60_000_000;
const EPISODE: EpisodeId = EpisodeId(1);
const HORIZON: usize = 16;
const PAUSED_AT: u64 = 170;
const RESUMED_AT: u64 = 220;

fn planner() -> Planner {
    Planner::new(PlannerConfig::default(), space(10.0), HORIZON).unwrap()
}

fn sampler() -> Sampler {
    let planner = planner();
    let facts = PolicyFacts {
        name: "wanderer".to_owned(),
        points: planner.points(),
        execute_steps: 8,
        observation_steps: 2,
        max_step_m: planner.config().max_step_m,
        layout: space(10.0).layout,
        guide: tiller_steering::Guide::default(),
    };
    Sampler::new(SamplerConfig::new(facts)).unwrap()
}

fn switcher() -> Switcher {
    Switcher::new(SwitcherConfig::default()).unwrap()
}

fn actuator() -> Actuator {
    Actuator::new(ActuatorConfig::default())
}

/// A journal for each machine.
#[derive(Default)]
struct Journals {
    sampler: Vec<u8>,
    switcher: Vec<u8>,
    actuator: Vec<u8>,
}

fn write<E: Serialize, F: Serialize>(to: &mut Vec<u8>, now_ns: u64, event: &E, effects: &[F]) {
    Recorder::new(to).record(now_ns, event, effects).unwrap();
}

/// The machines as [`InProcess`] wires them, with what each is told written down.
struct Recorded {
    loop_: InProcess,
    journals: Journals,
    planner: Planner,
    q_rad: [f64; JOINTS],
    plans: Vec<(u64, PlanReport)>,
}

impl Recorded {
    fn new() -> Self {
        Self {
            loop_: InProcess::new(sampler(), switcher(), actuator()),
            journals: Journals::default(),
            planner: planner(),
            q_rad: HOME_Q,
            plans: Vec::new(),
        }
    }

    fn tell(&mut self, message: Message, now_ns: u64) {
        let mut queue = VecDeque::from([message]);
        let mut outside = Vec::new();
        while let Some(message) = queue.pop_front() {
            let loop_ = &mut self.loop_;
            match message {
                Message::Sampler(event) => {
                    let mut sent = Vec::new();
                    loop_.sampler.on(event.clone(), now_ns, &mut sent);
                    write(&mut self.journals.sampler, now_ns, &event, &sent);
                    for effect in sent {
                        route_sampler(effect, &mut queue, &mut outside);
                    }
                }
                Message::Switcher(event) => {
                    let mut sent = Vec::new();
                    loop_.switcher.on(event.clone(), &mut sent);
                    write(&mut self.journals.switcher, now_ns, &event, &sent);
                    for effect in sent {
                        if let SwitcherEffect::Stage(stage) = effect {
                            queue.push_back(Message::Sampler(SamplerEvent::Stage(stage)));
                        }
                    }
                }
                Message::Actuator(event) => {
                    let mut sent = Vec::new();
                    loop_.actuator.on(event.clone(), now_ns, &mut sent);
                    write(&mut self.journals.actuator, now_ns, &event, &sent);
                    for effect in sent {
                        loop_.tell_movement(&effect, &mut queue);
                        route_actuator(effect, &mut queue, &mut outside);
                    }
                }
            }
        }
        for effect in outside {
            match effect {
                LoopEffect::Command(command) => {
                    self.q_rad = command.setpoints().last().unwrap();
                }
                LoopEffect::Plan(request) => {
                    let mut denoiser = Wanderer {
                        horizon: HORIZON,
                        action_dim: 4,
                    };
                    let plan = self.planner.plan(&mut denoiser, &request).unwrap();
                    let report = PlanReport {
                        id: request.id,
                        seen: Vec::new(),
                        spent_ns: PLANNING_NS,
                        outcome: Ok(Box::new(plan)),
                    };
                    self.plans.push((now_ns + PLANNING_NS, report));
                }
                _ => {}
            }
        }
    }

    /// The first stage of the program is reached, and in the midst of it a few things go wrong.
    fn run(mut self) -> Journals {
        let episode = Episode {
            id: EPISODE,
            seed: 5,
            ..Default::default()
        };
        self.tell(
            Message::Switcher(SwitcherEvent::Episode(episode.clone())),
            0,
        );
        self.tell(Message::Sampler(SamplerEvent::Episode(episode)), 0);
        let points = self.planner.points();
        let program = compile(PROGRAM, &CompileOptions::new(KEYPOINTS.len(), points)).unwrap();
        let program = RewardProgram {
            id: ProgramId(1),
            episode: EPISODE,
            generation: 1,
            ..program_message(&program, PROGRAM, "test", points)
        };
        self.tell(
            Message::Switcher(SwitcherEvent::Program(program.clone())),
            0,
        );
        self.tell(Message::Sampler(SamplerEvent::Program(program)), 0);
        for period in 0..400 {
            let now_ns = period * PERIOD_NS;
            let due = self.plans.iter().position(|(due_ns, _)| *due_ns <= now_ns);
            if let Some((_, report)) = due.map(|due| self.plans.remove(due)) {
                self.tell(Message::Sampler(SamplerEvent::Planned(report)), now_ns);
            }
            let state = ArmState {
                stamp_ns: now_ns,
                episode: EPISODE,
                q_rad: self.q_rad,
                tcp: forward(&self.q_rad),
                gripper_width_m: 0.08,
                ..Default::default()
            };
            if period == 130 {
                let mut bad = state.clone();
                bad.q_rad[2] = f64::NAN;
                self.tell(Message::Actuator(ActuatorEvent::Measured(bad)), now_ns);
                continue;
            }
            if period == 131 {
                let bad = ArmState {
                    stamp_ns: u64::MAX,
                    ..state.clone()
                };
                self.tell(Message::Actuator(ActuatorEvent::Measured(bad)), now_ns);
            }
            self.tell(Message::Actuator(ActuatorEvent::Measured(state)), now_ns);
            let order = match period {
                PAUSED_AT => Some(ActuatorEvent::Pause {
                    reason: "a look".to_owned(),
                }),
                RESUMED_AT => Some(ActuatorEvent::Resume),
                _ => None,
            };
            if let Some(order) = order {
                self.tell(Message::Actuator(order), now_ns);
            }
            if now_ns.is_multiple_of(LOOK_NS) {
                let stamp_ns = now_ns;
                let seen = SamplerEvent::Observation { stamp_ns };
                self.tell(Message::Sampler(seen), now_ns);
                let keypoints = Keypoints {
                    stamp_ns,
                    episode: EPISODE,
                    generation: 1,
                    names: vec!["handle".to_owned(), "cup".to_owned()],
                    xyz_m: KEYPOINTS.concat(),
                    visible: vec![true, false],
                    ..Default::default()
                };
                let keypoints = SamplerEvent::Keypoints(keypoints);
                self.tell(Message::Sampler(keypoints), now_ns);
            }
        }
        let stop = ActuatorEvent::Stop {
            reason: "the end".to_owned(),
        };
        self.tell(Message::Actuator(stop), 400 * PERIOD_NS);
        self.journals
    }
}

/// Tells a fresh machine what is in a journal; gives the number of its events.
fn replay<E: DeserializeOwned, F: Serialize>(
    name: &str,
    journal: &[u8],
    mut on: impl FnMut(E, u64, &mut Vec<F>),
) -> usize {
    let entries = read::<E>(journal).unwrap();
    let count = entries.len();
    for (index, entry) in entries.into_iter().enumerate() {
        let mut effects = Vec::new();
        on(entry.event, entry.now_ns, &mut effects);
        let bytes = effect_bytes(&effects).unwrap();
        assert_eq!(bytes, entry.effects, "{name}, event {index}");
    }
    count
}

#[test]
fn what_was_recorded_gives_the_same_effects_in_fresh_machines() {
    let journals = Recorded::new().run();

    let mut machine = sampler();
    let mut plans = 0;
    let told = replay("sampler", &journals.sampler, |event, now_ns, effects| {
        plans += usize::from(matches!(event, SamplerEvent::Planned(_)));
        machine.on(event, now_ns, effects);
    });
    assert!(told > 900 && plans > 8, "{told} events, {plans} plans");

    let mut machine = switcher();
    let mut stages = 0;
    let told = replay("switcher", &journals.switcher, |event, _, effects| {
        machine.on(event, effects);
        let is_stage = |effect: &&SwitcherEffect| matches!(effect, SwitcherEffect::Stage(_));
        stages += effects.iter().filter(is_stage).count();
    });
    assert!(told > 400 && stages > 6, "{told} events, {stages} stages");

    let mut machine = actuator();
    let mut refused = 0;
    let told = replay("actuator", &journals.actuator, |event, now_ns, effects| {
        machine.on(event, now_ns, effects);
        let is_safety = |effect: &&ActuatorEffect| matches!(effect, ActuatorEffect::Safety(_));
        refused += effects.iter().filter(is_safety).count();
    });
    assert!(told > 400 && refused >= 5, "{told} events, {refused} told");
}

#[test]
fn a_paused_loop_plans_nothing_moves_nothing_and_goes_on_in_its_stage() {
    let journals = Recorded::new().run();
    let paused = PAUSED_AT * PERIOD_NS..RESUMED_AT * PERIOD_NS;
    let mut machine = sampler();
    let (mut within, mut after) = (0, 0);
    for entry in read::<SamplerEvent>(journals.sampler.as_slice()).unwrap() {
        let mut effects = Vec::new();
        machine.on(entry.event, entry.now_ns, &mut effects);
        let is_plan = |effect: &&SamplerEffect| matches!(effect, SamplerEffect::Plan(_));
        let plans = effects.iter().filter(is_plan).count();
        within += if paused.contains(&entry.now_ns) {
            plans
        } else {
            0
        };
        after += if entry.now_ns >= paused.end { plans } else { 0 };
    }
    assert_eq!(within, 0);
    assert!(after > 2, "{after}");
    let told = read::<SwitcherEvent>(journals.switcher.as_slice()).unwrap();
    let words = told.into_iter().filter_map(|entry| match entry.event {
        SwitcherEvent::Movement(movement) => Some((movement == Movement::Paused, entry.now_ns)),
        _ => None,
    });
    let mut words: Vec<_> = words.collect();
    words.dedup_by_key(|(is_paused, _)| *is_paused);
    let [(false, _), (true, rested_ns), (false, resumed_ns)] = words[..] else {
        panic!("{words:?}");
    };
    let braked_ns = rested_ns - paused.start;
    assert!((1..=20 * PERIOD_NS).contains(&braked_ns), "{braked_ns} ns");
    assert!(resumed_ns - paused.end <= 2 * PERIOD_NS);
}

#[test]
fn another_event_gives_other_effects() {
    let journals = Recorded::new().run();
    let mut entries = read::<ActuatorEvent>(journals.actuator.as_slice()).unwrap();
    for entry in &mut entries {
        if let ActuatorEvent::Chunk(chunk) = &mut entry.event {
            chunk.actions[0] += 1e-6;
        }
    }
    let mut machine = actuator();
    let differs = entries.into_iter().any(|entry| {
        let mut effects = Vec::new();
        machine.on(entry.event, entry.now_ns, &mut effects);
        effect_bytes(&effects).unwrap() != entry.effects
    });
    assert!(differs);
}
