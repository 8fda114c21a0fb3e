//! Table-driven: a story of inputs on the left, the decisions that it must lead to on the right.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use tiller_stages::{
    Advice, AdviceRefusal, Decision, DecisionKind as K, ProgramRefusal, ProgressReading,
    StageConfig, StageInfo, StageMachine,
};

const FRAME_NS: u64 = 100_000_000;

/// One input; the machine's own stage and visit are filled in.
#[derive(Clone, Copy)]
enum In {
    /// Achieved progress without a done value.
    P(f64),
    /// A done value, with achieved progress 0.
    D(f64),
    /// Achieved progress beside a done value.
    Pd(f64, f64),
    /// A measured gripper width, m.
    W(f64),
    Stale(bool),
    /// Nothing happens for so many seconds.
    Wait(f64),
}

struct Story {
    machine: StageMachine,
    now_ns: u64,
}

impl Story {
    fn new(stages: &[StageInfo]) -> Self {
        Self::with(StageConfig::default(), stages)
    }

    fn with(config: StageConfig, stages: &[StageInfo]) -> Self {
        let mut machine = StageMachine::new(config).unwrap();
        let decision = machine.on_program(0, stages).unwrap();
        assert_eq!(
            (decision.kind, decision.stage, decision.visit),
            (K::Advance, 1, 1)
        );
        Self { machine, now_ns: 0 }
    }

    fn feed(&mut self, input: In) -> Option<Decision> {
        self.now_ns += FRAME_NS;
        let now_ns = self.now_ns;
        let mut reading = ProgressReading {
            stamp_ns: now_ns,
            executed_ns: now_ns,
            stage: self.machine.stage(),
            visit: self.machine.visit(),
            planned: 0.0,
            achieved: 0.0,
            done: None,
        };
        match input {
            In::P(achieved) => reading.achieved = achieved,
            In::D(done) => reading.done = Some(done),
            In::Pd(achieved, done) => {
                reading.achieved = achieved;
                reading.done = Some(done);
            }
            In::W(width_m) => return self.machine.on_gripper(now_ns, width_m),
            In::Stale(stale) => return self.machine.on_keypoints_stale(now_ns, stale),
            In::Wait(seconds) => {
                self.now_ns += (seconds * 1e9) as u64;
                return self.machine.on_time(self.now_ns);
            }
        }
        self.machine.on_progress(&reading)
    }

    /// Feeds all inputs; returns the decisions as (kind, stage, visit, guidance).
    fn tell(&mut self, inputs: &[In]) -> Vec<(K, u32, u32, bool)> {
        let decisions = inputs.iter().filter_map(|input| self.feed(*input));
        decisions
            .map(|d| (d.kind, d.stage, d.visit, d.guidance))
            .collect()
    }
}

fn done_stages(count: usize) -> Vec<StageInfo> {
    vec![StageInfo::with_done("move"); count]
}

fn progress_stages(count: usize) -> Vec<StageInfo> {
    vec![StageInfo::by_progress("move"); count]
}

#[test]
fn stories_lead_to_their_decisions() {
    use In::{D, P, Pd, Stale, W, Wait};
    let grasp = || {
        vec![
            StageInfo::by_progress("grasp the block"),
            StageInfo::by_progress("lift"),
        ]
    };
    let unguided = || {
        vec![StageInfo {
            guided: false,
            ..StageInfo::by_progress("grasp it")
        }]
    };
    type Expected = Vec<(K, u32, u32, bool)>;
    let table: Vec<(&str, Vec<StageInfo>, Vec<In>, Expected)> = vec![
        (
            "one done frame is noise",
            done_stages(2),
            vec![D(0.1), D(-0.1), D(0.1)],
            vec![],
        ),
        (
            "two done frames advance",
            done_stages(2),
            vec![D(-0.1), D(0.0), D(0.1)],
            vec![(K::Advance, 2, 2, true)],
        ),
        (
            "the last stage finishes, and that is the end",
            done_stages(1),
            vec![D(0.1), D(0.1), D(0.1), D(-1.0), P(0.9), Wait(100.0)],
            vec![(K::Finished, 1, 1, false)],
        ),
        (
            "a done value that is not a number is no evidence",
            done_stages(1),
            vec![D(f64::NAN), D(f64::NAN), D(f64::NAN)],
            vec![],
        ),
        (
            "done decides alone",
            done_stages(2),
            vec![Pd(0.95, -0.1); 9],
            vec![],
        ),
        (
            "progress decides where nothing else does",
            progress_stages(2),
            vec![P(0.5), P(0.85), P(0.79)],
            vec![(K::Advance, 2, 2, true)],
        ),
        (
            "progress below the threshold stays",
            progress_stages(2),
            vec![P(0.79); 20],
            vec![],
        ),
        (
            "a slip goes back one stage",
            done_stages(2),
            vec![
                D(0.0),
                D(0.0),
                Pd(0.9, -0.1),
                Pd(0.65, -0.1),
                Pd(0.55, -0.1),
            ],
            vec![(K::Advance, 2, 2, true), (K::Back, 1, 3, true)],
        ),
        (
            "a slip in the first stage has nowhere to go",
            done_stages(2),
            vec![Pd(0.9, -0.1), Pd(0.5, -0.1)],
            vec![],
        ),
        (
            "the fingers' closing ends a grasp",
            grasp(),
            vec![P(0.7), W(0.08), W(0.06), W(0.041), W(0.041)],
            vec![(K::Advance, 2, 2, true)],
        ),
        (
            "fingers that close far from the goal prove nothing",
            grasp(),
            vec![P(0.2), W(0.08), W(0.06), W(0.041), W(0.041), P(0.3)],
            vec![],
        ),
        (
            "opening is not closing",
            grasp(),
            vec![P(0.7), W(0.0), W(0.04), W(0.08), W(0.08)],
            vec![],
        ),
        (
            "the gripper cannot overrule a done function",
            vec![StageInfo::with_done("grasp the block")],
            vec![
                Pd(0.7, -0.1),
                W(0.08),
                W(0.05),
                W(0.04),
                W(0.04),
                Pd(0.7, -0.1),
            ],
            vec![],
        ),
        (
            "an unguided stage ends by the gripper",
            unguided(),
            vec![P(f64::NAN), W(0.08), W(0.04), W(0.04), P(f64::NAN)],
            vec![(K::Finished, 1, 1, false)],
        ),
        (
            "stale keypoints pause the guidance, once",
            done_stages(1),
            vec![Stale(true), Stale(true), Stale(false), Stale(false)],
            vec![(K::GuidanceOff, 1, 1, false), (K::GuidanceOn, 1, 1, true)],
        ),
        (
            "a stage may advance while the keypoints are stale",
            done_stages(2),
            vec![Stale(true), D(0.1), D(0.1), Stale(false)],
            vec![
                (K::GuidanceOff, 1, 1, false),
                (K::Advance, 2, 2, false),
                (K::GuidanceOn, 2, 2, true),
            ],
        ),
        (
            "time: back one stage",
            done_stages(2),
            [D(0.1), D(0.1), Wait(16.0)].repeat(2),
            vec![
                (K::Advance, 2, 2, true),
                (K::Back, 1, 3, true),
                (K::Advance, 2, 4, true),
                (K::Back, 1, 5, true),
            ],
        ),
        (
            "time and again in a row: one stage further back each time",
            done_stages(3),
            [
                vec![D(0.1), D(0.1), D(0.1), D(0.1), Wait(16.0)],
                vec![D(0.1), D(0.1), Wait(16.0)],
                vec![D(0.1), D(0.1), D(0.1), D(0.1), Wait(16.0)],
            ]
            .concat(),
            vec![
                (K::Advance, 2, 2, true),
                (K::Advance, 3, 3, true),
                (K::Back, 2, 4, true),
                (K::Advance, 3, 5, true),
                (K::Back, 1, 6, true),
                (K::Advance, 2, 7, true),
                (K::Advance, 3, 8, true),
                (K::Back, 1, 9, true),
            ],
        ),
        (
            "time in a row only since the stage was complete",
            done_stages(4),
            [
                vec![D(0.1), D(0.1), D(0.1), D(0.1), Wait(16.0)],
                vec![D(0.1), D(0.1), D(0.1), D(0.1), Wait(16.0)],
                vec![D(0.1), D(0.1), Wait(16.0)],
            ]
            .concat(),
            vec![
                (K::Advance, 2, 2, true),
                (K::Advance, 3, 3, true),
                (K::Back, 2, 4, true),
                (K::Advance, 3, 5, true),
                (K::Advance, 4, 6, true),
                (K::Back, 3, 7, true),
                (K::Advance, 4, 8, true),
                (K::Back, 2, 9, true),
            ],
        ),
        (
            "time in the first stage: afresh until the tries are spent",
            done_stages(2),
            vec![Wait(16.0); 18],
            (2..=16)
                .map(|visit| (K::Stay, 1, visit, true))
                .chain([(K::GiveUp, 1, 16, false)])
                .collect(),
        ),
    ];
    for (name, stages, inputs, expected) in table {
        assert_eq!(Story::new(&stages).tell(&inputs), expected, "{name}");
    }
}

#[test]
fn readings_of_another_visit_are_ignored() {
    let mut machine = StageMachine::new(StageConfig::default()).unwrap();
    machine.on_program(0, &done_stages(2)).unwrap();
    let mut reading = ProgressReading {
        stamp_ns: FRAME_NS,
        executed_ns: FRAME_NS,
        stage: 1,
        visit: 7,
        planned: 1.0,
        achieved: 1.0,
        done: Some(1.0),
    };
    for _ in 0..5 {
        assert_eq!(machine.on_progress(&reading), None);
    }
    (reading.stage, reading.visit) = (2, 1);
    assert_eq!(machine.on_progress(&reading), None);
    assert_eq!(machine.stage(), 1);
}

#[test]
fn endless_slips_end_in_giving_up() {
    let config = StageConfig {
        max_visits: 3,
        ..StageConfig::default()
    };
    let mut story = Story::with(config, &done_stages(2));
    let round = [In::D(0.1), In::D(0.1), In::Pd(0.9, -0.1), In::Pd(0.5, -0.1)];
    let last = (0..10).flat_map(|_| story.tell(&round)).last().unwrap();
    assert_eq!(last.0, K::GiveUp);
    assert!(story.machine.is_over());
}

#[test]
fn a_new_program_starts_over_but_visits_go_on() {
    let mut story = Story::new(&done_stages(1));
    story.tell(&[In::D(0.1), In::D(0.1)]);
    assert!(story.machine.is_over());
    let decision = story
        .machine
        .on_program(story.now_ns, &done_stages(3))
        .unwrap();
    assert_eq!(
        (decision.stage, decision.visit, decision.guidance),
        (1, 2, true)
    );
    assert_eq!(
        story.machine.on_program(0, &[]),
        Err(ProgramRefusal::NoStages)
    );
    assert_eq!(story.machine.num_stages(), 3);
}

#[test]
fn advice_is_taken_only_for_this_visit_and_a_real_stage() {
    let mut story = Story::new(&done_stages(3));
    let advice = |asked_visit, stage| Advice {
        asked_visit,
        stage,
        reason: "the drawer is open already".to_owned(),
    };
    let machine = &mut story.machine;
    let refused = [
        (
            advice(9, 2),
            AdviceRefusal::Stale {
                expected: 1,
                found: 9,
            },
        ),
        (
            advice(1, 4),
            AdviceRefusal::NoSuchStage {
                stages: 3,
                found: 4,
            },
        ),
        (
            advice(1, 0),
            AdviceRefusal::NoSuchStage {
                stages: 3,
                found: 0,
            },
        ),
    ];
    for (advice, refusal) in refused {
        assert_eq!(machine.on_advice(&advice), Err(refusal));
        assert_eq!((machine.stage(), machine.visit()), (1, 1));
    }
    let taken = machine.on_advice(&advice(1, 3)).unwrap();
    assert_eq!((taken.kind, taken.stage, taken.visit), (K::Advance, 3, 2));
    assert!(taken.reason.contains("already open") || taken.reason.contains("open already"));
    let back = machine.on_advice(&advice(2, 1)).unwrap();
    assert_eq!((back.kind, back.stage, back.visit), (K::Back, 1, 3));
    let stay = machine.on_advice(&advice(3, 1)).unwrap();
    assert_eq!((stay.kind, stay.stage, stay.visit), (K::Stay, 1, 3));
}

#[test]
fn advice_after_the_end_is_refused() {
    let mut story = Story::new(&done_stages(1));
    story.tell(&[In::D(0.1), In::D(0.1)]);
    let advice = Advice {
        asked_visit: 1,
        stage: 1,
        reason: String::new(),
    };
    assert_eq!(
        story.machine.on_advice(&advice),
        Err(AdviceRefusal::Inactive)
    );
}

#[test]
fn a_question_is_asked_once_a_visit() {
    let mut story = Story::new(&done_stages(1));
    assert_eq!(story.machine.take_query(), None);
    story.tell(&[In::Wait(5.0)]);
    let query = story.machine.take_query().unwrap();
    assert_eq!((query.stage, query.visit), (1, 1));
    assert_eq!(story.machine.take_query(), None);
    story.tell(&[In::Wait(4.0), In::Wait(5.0)]);
    assert_eq!(story.machine.take_query().map(|query| query.visit), Some(2));
}

#[test]
fn a_later_stage_that_gets_nowhere_repeats_the_one_before() {
    let stalled = |stage: u32, inputs: &[In]| {
        let mut story = Story::new(&done_stages(2));
        if stage == 2 {
            story.tell(&[In::D(0.1), In::D(0.1)]);
        }
        assert_eq!(story.machine.stage(), stage);
        story.tell(inputs)
    };
    // A second and a half of readings, a tenth of a second each.
    let still = [In::Pd(0.3, -0.1); 16];
    assert_eq!(stalled(2, &still[..15]), []);
    assert_eq!(stalled(2, &still), [(K::Back, 1, 3, true)]);
    assert_eq!(stalled(1, &still), [], "nothing to repeat");
    let rising: Vec<In> = (0..60).map(|n| In::Pd(0.01 * f64::from(n), -0.1)).collect();
    assert_eq!(stalled(2, &rising), []);
    let creeping: Vec<In> = (0..60)
        .map(|n| In::Pd(0.001 * f64::from(n), -0.1))
        .collect();
    assert_eq!(stalled(2, &creeping).len(), 1);
}
