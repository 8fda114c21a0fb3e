//! What holds for every sequence of inputs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use tiller_stages::{
    Advice, Decision, DecisionKind, ProgressReading, StageConfig, StageInfo, StageMachine,
};

#[derive(Debug, Clone)]
enum Input {
    Progress {
        achieved: f64,
        done: Option<f64>,
        this_visit: bool,
    },
    Gripper(f64),
    Stale(bool),
    Time,
    Advice {
        stage: u32,
        this_visit: bool,
    },
    Program(Vec<bool>),
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![10 => -0.2f64..1.2, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
}

fn input() -> impl Strategy<Value = Input> {
    let progress = (
        number(),
        prop::option::of(-1.0f64..1.0),
        prop::bool::weighted(0.9),
    );
    prop_oneof![
        12 => progress.prop_map(|(achieved, done, this_visit)| Input::Progress {
            achieved, done, this_visit,
        }),
        4 => (0.0f64..0.08).prop_map(Input::Gripper),
        2 => any::<bool>().prop_map(Input::Stale),
        2 => Just(Input::Time),
        2 => (0u32..7, any::<bool>()).prop_map(|(stage, this_visit)| Input::Advice {
            stage, this_visit,
        }),
        1 => prop::collection::vec(any::<bool>(), 0..5).prop_map(Input::Program),
    ]
}

/// Each input with the time since the one before, ms.
fn story() -> impl Strategy<Value = Vec<(u64, Input)>> {
    let gap_ms = prop_oneof![8 => 10u64..300, 1 => 5_000u64..20_000];
    prop::collection::vec((gap_ms, input()), 1..300)
}

fn infos(has_done: &[bool]) -> Vec<StageInfo> {
    let describe = |done: &bool| match done {
        true => StageInfo::with_done("approach"),
        false => StageInfo::by_progress("grasp the block"),
    };
    has_done.iter().map(describe).collect()
}

fn machine() -> StageMachine {
    let mut machine = StageMachine::new(StageConfig::default()).unwrap();
    machine.on_program(0, &infos(&[true, false, true])).unwrap();
    machine
}

fn feed(machine: &mut StageMachine, now_ns: u64, input: &Input) -> Option<Decision> {
    let (stage, visit) = (machine.stage(), machine.visit());
    let other = |this_visit: bool| {
        if this_visit {
            visit
        } else {
            visit.wrapping_add(1)
        }
    };
    match input {
        Input::Progress {
            achieved,
            done,
            this_visit,
        } => machine.on_progress(&ProgressReading {
            stamp_ns: now_ns,
            executed_ns: now_ns,
            stage,
            visit: other(*this_visit),
            planned: 0.5,
            achieved: *achieved,
            done: *done,
        }),
        Input::Gripper(width_m) => machine.on_gripper(now_ns, *width_m),
        Input::Stale(stale) => machine.on_keypoints_stale(now_ns, *stale),
        Input::Time => machine.on_time(now_ns),
        Input::Advice {
            stage: target,
            this_visit,
        } => {
            let asked_visit = other(*this_visit);
            let reason = "advice".to_owned();
            let advice = Advice {
                asked_visit,
                stage: *target,
                reason,
            };
            machine.on_advice(&advice).ok()
        }
        Input::Program(has_done) => machine.on_program(now_ns, &infos(has_done)).ok(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The stage stays within 1..=N, visits never run backwards and change with every stage
    /// change, and nothing but a new program follows the end.
    #[test]
    fn stages_exist_and_visits_only_grow(story in story()) {
        let mut machine = machine();
        let (mut now_ns, mut over) = (0, false);
        for (gap_ms, input) in &story {
            now_ns += gap_ms * 1_000_000;
            let before = (machine.stage(), machine.visit());
            let decision = feed(&mut machine, now_ns, input);
            let after = (machine.stage(), machine.visit());
            prop_assert!((1..=machine.num_stages()).contains(&after.0), "stage {}", after.0);
            prop_assert!(after.1 == before.1 || after.1 == before.1 + 1);
            prop_assert!(after.0 == before.0 || after.1 > before.1);
            let is_program = matches!(input, Input::Program(stages) if !stages.is_empty());
            match &decision {
                None => prop_assert_eq!(before, after),
                Some(decision) => {
                    prop_assert_eq!((decision.stage, decision.visit), after);
                    prop_assert_eq!(decision.guidance, machine.guidance());
                    prop_assert!(!decision.reason.is_empty());
                    prop_assert!(!over || is_program, "{:?} after the end", decision);
                    over = decision.is_final();
                }
            }
            prop_assert_eq!(over, machine.is_over());
        }
    }

    /// The same inputs give the same decisions.
    #[test]
    fn decisions_are_deterministic(story in story()) {
        let run = || {
            let (mut machine, mut now_ns) = (machine(), 0);
            let step = |(gap_ms, input): &(u64, Input)| {
                now_ns += gap_ms * 1_000_000;
                feed(&mut machine, now_ns, input)
            };
            story.iter().map(step).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    /// Noise within the hysteresis band around any level changes the stage of a program that goes
    /// by progress at most once.
    #[test]
    fn noise_does_not_chatter(
        level in 0.0f64..1.0,
        noise in prop::collection::vec(-0.09f64..0.09, 100),
    ) {
        let mut machine = StageMachine::new(StageConfig::default()).unwrap();
        machine.on_program(0, &infos(&[true, true])).unwrap();
        let mut changes = 0;
        for (index, noise) in noise.iter().enumerate() {
            // Both stages have done functions that have not fired: only a slip could switch.
            let (stage, visit) = (machine.stage(), machine.visit());
            let decision = machine.on_progress(&ProgressReading {
                stamp_ns: index as u64 * 100_000_000,
                executed_ns: index as u64 * 100_000_000,
                stage,
                visit,
                planned: 0.0,
                achieved: level + noise,
                done: Some(-0.1),
            });
            changes += u32::from(decision.is_some());
        }
        prop_assert!(changes <= 1, "{changes} changes around {level}");
    }

    /// Whatever the policy does, the machine ends: no story can keep it busy for ever.
    #[test]
    fn every_program_ends(
        readings in prop::collection::vec((-0.2f64..1.2, -0.5f64..0.1), 8),
    ) {
        let mut machine = machine();
        let endless = readings.iter().cycle().take(20_000);
        for (index, (achieved, done)) in endless.enumerate() {
            let (stage, visit) = (machine.stage(), machine.visit());
            machine.on_progress(&ProgressReading {
                stamp_ns: index as u64 * 100_000_000,
                executed_ns: index as u64 * 100_000_000,
                stage,
                visit,
                planned: 0.0,
                achieved: *achieved,
                done: Some(*done),
            });
        }
        prop_assert!(machine.is_over());
    }
}

#[test]
fn the_final_decision_is_marked() {
    let kinds = [
        (DecisionKind::Advance, false),
        (DecisionKind::Stay, false),
        (DecisionKind::Back, false),
        (DecisionKind::GuidanceOn, false),
        (DecisionKind::GuidanceOff, false),
        (DecisionKind::Finished, true),
        (DecisionKind::GiveUp, true),
    ];
    for (kind, is_final) in kinds {
        let decision = Decision {
            kind,
            stage: 1,
            visit: 1,
            guidance: false,
            reason: String::new(),
        };
        assert_eq!(decision.is_final(), is_final, "{kind}");
    }
}
