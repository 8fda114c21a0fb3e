use tiller_core::SECOND_NS;
use tiller_messages::Level;

use super::*;

const FRAME_NS: u64 = SECOND_NS / 10;
const EPISODE: EpisodeId = EpisodeId(4);
const PROGRAM: ProgramId = ProgramId(7);

/// A switcher, the arm's clock, and what was said last.
struct Rig {
    switcher: Switcher,
    effects: Vec<SwitcherEffect>,
    now_ns: u64,
}

impl Rig {
    fn new() -> Self {
        Self {
            switcher: Switcher::new(SwitcherConfig::default()).unwrap(),
            effects: Vec::new(),
            now_ns: 0,
        }
    }

    /// One whose program is in its first stage.
    fn started() -> Self {
        let mut rig = Self::new();
        rig.arm_at(0);
        rig.on(SwitcherEvent::Program(program(PROGRAM)));
        rig
    }

    fn on(&mut self, event: SwitcherEvent) {
        self.effects.clear();
        self.switcher.on(event, &mut self.effects);
    }

    fn arm_at(&mut self, stamp_ns: u64) {
        self.on(SwitcherEvent::Arm(ArmState {
            stamp_ns,
            episode: EPISODE,
            gripper_width_m: 0.08,
            ..Default::default()
        }));
    }

    /// A frame later: the arm's state, and how far the stage is if that is known.
    fn frame(&mut self, reading: Option<Progress>) {
        self.now_ns += FRAME_NS;
        self.arm_at(self.now_ns);
        if let Some(reading) = reading {
            let event = SwitcherEvent::Progress(Progress {
                stamp_ns: self.now_ns,
                ..reading
            });
            // What both said is kept.
            self.switcher.on(event, &mut self.effects);
        }
    }

    fn commands(&self) -> Vec<&StageCommand> {
        let effects = self.effects.iter();
        let commands = effects.filter_map(|effect| match effect {
            SwitcherEffect::Stage(command) => Some(command),
            _ => None,
        });
        commands.collect()
    }

    fn command(&self) -> Option<&StageCommand> {
        self.commands().last().copied()
    }

    fn query(&self) -> Option<&StageQuery> {
        self.effects.iter().find_map(|effect| match effect {
            SwitcherEffect::Query(query) => Some(query),
            _ => None,
        })
    }

    fn notices(&self) -> Vec<(&str, Level)> {
        let effects = self.effects.iter();
        let notices = effects.filter_map(|effect| match effect {
            SwitcherEffect::Tell(notice) => Some((notice.code.as_str(), notice.level)),
            _ => None,
        });
        notices.collect()
    }
}

fn program(id: ProgramId) -> RewardProgram {
    RewardProgram {
        id,
        episode: EPISODE,
        generation: 3,
        num_stages: 2,
        descriptions: vec!["reach the handle".into(), "pull".into()],
        has_done: vec![true, true],
        unguided: vec![false, false],
        ..Default::default()
    }
}

/// The stage is this far from being done.
fn reading(stage: u32, visit: u32, done: f64) -> Option<Progress> {
    Some(Progress {
        program: PROGRAM,
        stage,
        visit,
        done: Some(done),
        ..Default::default()
    })
}

#[test]
fn a_program_starts_at_its_first_stage_and_done_advances() {
    let mut rig = Rig::started();
    let first = rig.command().unwrap();
    assert_eq!((first.seq, first.stage, first.visit), (1, 1, 1));
    assert_eq!((first.program, first.episode), (PROGRAM, EPISODE));
    assert!(first.guidance && first.kind == "advance");

    rig.frame(reading(1, 1, -0.1));
    rig.frame(reading(1, 1, 0.1));
    assert_eq!(rig.command(), None, "one reading is none");
    rig.frame(reading(1, 1, 0.1));
    let second = rig.command().unwrap();
    assert_eq!((second.seq, second.stage, second.visit), (2, 2, 2));
    assert_eq!(second.stamp_ns, 3 * FRAME_NS);
    rig.frame(reading(2, 2, 0.1));
    rig.frame(reading(2, 2, 0.1));
    let last = rig.command().unwrap();
    assert!(last.finished && !last.guidance);
}

#[test]
fn a_program_that_is_sent_again_changes_nothing() {
    let mut rig = Rig::started();
    rig.frame(reading(1, 1, 0.1));
    rig.frame(reading(1, 1, 0.1));
    rig.on(SwitcherEvent::Program(program(PROGRAM)));
    assert!(rig.effects.is_empty(), "{:?}", rig.effects);
    rig.on(SwitcherEvent::Program(program(ProgramId(PROGRAM.0 - 1))));
    assert!(rig.effects.is_empty(), "an older one counts for nothing");
    rig.on(SwitcherEvent::Program(program(ProgramId(PROGRAM.0 + 1))));
    let anew = rig.command().unwrap();
    assert_eq!((anew.stage, anew.visit), (1, 3), "visits never repeat");
}

#[test]
fn the_stage_is_sent_again_every_second() {
    let mut rig = Rig::started();
    let first = rig.command().unwrap().clone();
    let mut repeated = 0;
    for _ in 0..35 {
        rig.frame(reading(1, 1, -0.1));
        for command in rig.commands() {
            assert_eq!(command, &first);
            repeated += 1;
        }
    }
    assert_eq!(repeated, 3);
}

#[test]
fn without_progress_readings_guidance_pauses() {
    let mut rig = Rig::started();
    let mut paused = None;
    for frame in 1..=60 {
        rig.frame(None);
        let off = rig.command().filter(|command| !command.guidance);
        paused = paused.or(off.map(|command| (frame, command.kind.clone())));
    }
    assert_eq!(paused, Some((51, "guidance_off".to_owned())));
    rig.frame(reading(1, 1, -0.1));
    rig.frame(reading(1, 1, -0.1));
    let resumed = rig.command().unwrap();
    assert_eq!((resumed.kind.as_str(), resumed.visit), ("guidance_on", 1));
    assert!(resumed.guidance);
}

#[test]
fn no_time_passes_while_the_arm_is_paused_and_only_a_word_changes_the_stage() {
    let mut rig = Rig::started();
    let first = rig.command().unwrap().clone();
    for _ in 0..30 {
        rig.frame(reading(1, 1, -0.1));
    }
    rig.on(SwitcherEvent::Movement(Movement::Paused));
    let (mut repeated, mut queries) = (0, 0);
    // Two minutes, in which the stage looks done, and nothing is seen for a while.
    for frame in 0..1_200 {
        rig.frame(reading(1, 1, 0.1).filter(|_| frame < 600));
        queries += usize::from(rig.query().is_some());
        for command in rig.commands() {
            assert_eq!(command, &first, "frame {frame}");
            repeated += 1;
        }
    }
    assert!(repeated >= 119, "whoever joins hears it: {repeated}");
    rig.on(SwitcherEvent::Advice(StageAdvice {
        program: PROGRAM,
        visit: 1,
        stage: 2,
        reason: "somebody wants it".into(),
        ..Default::default()
    }));
    assert_eq!(rig.command().unwrap().stage, 2, "but a word counts");
    rig.on(SwitcherEvent::Movement(Movement::Executing));
    // Eight seconds of the second stage begin now.
    let mut left = None;
    for frame in 1..=100 {
        rig.frame(reading(2, 2, -0.1));
        let is_left = rig.command().is_some_and(|command| command.visit != 2);
        left = left.or(is_left.then_some(frame));
    }
    assert!((15..=80).contains(&left.unwrap()), "{left:?}");
    assert_eq!(queries, 0);
}

/// A planner that takes three seconds leaves the arm at rest between chunks of 0.8 s.
#[test]
fn waiting_for_a_chunk_is_no_plateau() {
    let left = |waiting_frames: u64| {
        let mut rig = Rig::started();
        rig.frame(reading(1, 1, 0.1));
        rig.frame(reading(1, 1, 0.1));
        for frame in 0..60 {
            let is_waiting = frame % (waiting_frames + 8) < waiting_frames;
            rig.on(SwitcherEvent::Movement(match is_waiting {
                true => Movement::Waiting,
                false => Movement::Executing,
            }));
            rig.frame(reading(2, 2, -0.1));
            if rig.commands().iter().any(|command| command.visit != 2) {
                return Some(frame);
            }
        }
        None
    };
    let executed: u64 = left(0).unwrap();
    assert!((14..=16).contains(&executed), "{executed}");
    // Two waits of three seconds before as much has been executed.
    assert_eq!(left(30), None, "in six seconds");
    // Two waits of a second, and the frame that ends the first of them.
    let with_waits = left(10).unwrap();
    assert!((19..=20).contains(&(with_waits - executed)), "{with_waits}");
}

#[test]
fn a_stage_goes_on_where_it_was_when_the_pause_is_over() {
    let timeout = |pause: u64| {
        let mut rig = Rig::started();
        let mut frames = 0;
        loop {
            if frames == 20 {
                rig.on(SwitcherEvent::Movement(Movement::Paused));
                (0..pause).for_each(|_| rig.frame(reading(1, 1, -0.1)));
                rig.on(SwitcherEvent::Movement(Movement::Executing));
            }
            frames += 1;
            rig.frame(reading(1, 1, -0.1));
            if rig.commands().iter().any(|command| command.visit == 2) {
                return frames;
            }
            assert!(frames < 200);
        }
    };
    assert_eq!(timeout(500), timeout(0));
}

#[test]
fn a_stage_that_drags_on_is_asked_about_once_and_advice_is_taken() {
    let mut rig = Rig::started();
    let mut queries = Vec::new();
    for _ in 1..70 {
        rig.frame(reading(1, 1, -0.1));
        queries.extend(rig.query().cloned());
    }
    let [query] = &queries[..] else {
        panic!("{queries:?}");
    };
    assert_eq!((query.seq, query.program, query.stage), (1, PROGRAM, 1));
    let advice = |program, visit, stage| StageAdvice {
        program,
        visit,
        stage,
        reason: "it is there".into(),
        ..Default::default()
    };
    rig.on(SwitcherEvent::Advice(advice(ProgramId(6), query.visit, 2)));
    assert!(rig.effects.is_empty(), "for another program");
    rig.on(SwitcherEvent::Advice(advice(PROGRAM, query.visit + 5, 2)));
    assert_eq!(rig.command(), None, "for another visit");
    assert_eq!(rig.notices(), [("advice_dropped", Level::Info)]);
    rig.on(SwitcherEvent::Advice(advice(PROGRAM, query.visit, 9)));
    assert_eq!(rig.command(), None, "there is no such stage");
    assert_eq!(rig.notices(), [("advice_dropped", Level::Info)]);
    rig.on(SwitcherEvent::Advice(advice(PROGRAM, query.visit, 2)));
    assert_eq!(rig.command().unwrap().stage, 2);
}

#[test]
fn readings_of_another_program_or_visit_count_for_nothing() {
    let mut rig = Rig::started();
    for _ in 0..5 {
        rig.frame(reading(1, 1, 0.1).map(|progress| Progress {
            program: ProgramId(6),
            ..progress
        }));
        assert_eq!(rig.command(), None);
        rig.frame(reading(1, 9, 0.1));
        assert_eq!(rig.command().filter(|command| command.seq != 1), None);
    }
}

#[test]
fn numbers_that_are_none_are_told_and_counted_as_nothing() {
    let mut rig = Rig::started();
    let good = reading(1, 1, 0.1).unwrap();
    let bad = [
        Progress {
            done: Some(f64::NAN),
            ..good.clone()
        },
        Progress {
            achieved: f64::INFINITY,
            ..good.clone()
        },
        Progress {
            planned: f64::NAN,
            ..good.clone()
        },
    ];
    for bad in bad {
        rig.frame(Some(bad));
        assert_eq!(rig.command(), None);
        assert_eq!(rig.notices(), [("progress_refused", Level::Warning)]);
    }
    rig.frame(Some(good.clone()));
    rig.frame(Some(good));
    assert_eq!(rig.command().unwrap().stage, 2, "what follows is read");
}

#[test]
fn numbers_that_are_none_do_not_hide_that_nothing_is_measured() {
    let mut rig = Rig::started();
    let nan = Progress {
        achieved: f64::NAN,
        ..reading(1, 1, -0.1).unwrap()
    };
    let kinds: Vec<_> = (0..60)
        .flat_map(|_| {
            rig.frame(Some(nan.clone()));
            rig.command().map(|command| command.kind.clone())
        })
        .collect();
    assert!(kinds.iter().any(|kind| kind == "guidance_off"), "{kinds:?}");
}

/// Stays in its first stage, steered, for as long as a stage may last, and then is entered afresh.
fn lives_on(mut rig: Rig, what: &str) {
    let visit = rig.switcher.machine.visit();
    let since_ns = rig.now_ns;
    let mut repeated = 0;
    loop {
        rig.frame(reading(1, visit, -0.1));
        repeated += rig.commands().len();
        let kinds = rig.commands().into_iter().map(|c| (c.guidance, c.visit));
        for (guidance, now) in kinds {
            assert!(guidance, "{what}: {:?}", rig.effects);
            if now != visit {
                let spent_ns = rig.now_ns - since_ns;
                let limit_ns = StageConfig::default().stage_timeout_ns;
                let span = limit_ns - 2 * SECOND_NS..=limit_ns + SECOND_NS;
                assert!(span.contains(&spent_ns), "{what}: {spent_ns} ns");
                assert!(repeated >= 7, "{what}: sent {repeated} times");
                return;
            }
        }
        assert!(rig.now_ns < since_ns + 20 * SECOND_NS, "{what}: no end");
    }
}

#[test]
fn a_stamp_far_ahead_or_behind_poisons_nothing() {
    for (what, bad) in [
        ("ahead", vec![3_600 * SECOND_NS]),
        ("the end of time", vec![u64::MAX]),
        ("behind", vec![0]),
        (
            "ahead for a while",
            vec![900 * SECOND_NS, 900 * SECOND_NS + 1],
        ),
        ("the end of time twice", vec![u64::MAX, u64::MAX]),
    ] {
        let mut rig = Rig::new();
        rig.now_ns = 5 * SECOND_NS;
        rig.arm_at(rig.now_ns);
        rig.on(SwitcherEvent::Program(program(PROGRAM)));
        for _ in 0..10 {
            rig.frame(reading(1, 1, -0.1));
        }
        for stamp_ns in bad {
            rig.arm_at(stamp_ns);
            let changes = rig.commands().into_iter().filter(|c| c.seq != 1);
            assert_eq!(changes.count(), 0, "{what}");
        }
        lives_on(rig, what);
    }
}

#[test]
fn a_bad_stamp_is_told() {
    let mut rig = Rig::started();
    rig.arm_at(3_600 * SECOND_NS);
    assert_eq!(rig.notices(), [("arm_state_refused", Level::Warning)]);
    rig.arm_at(FRAME_NS);
    assert!(rig.notices().is_empty(), "the next good one is taken");
}

#[test]
fn a_bad_first_stamp_poisons_nothing() {
    let mut rig = Rig::new();
    rig.arm_at(u64::MAX);
    rig.on(SwitcherEvent::Program(program(PROGRAM)));
    lives_on(rig, "the first stamp");
}

#[test]
fn a_clock_that_starts_anew_is_followed() {
    let mut rig = Rig::new();
    rig.now_ns = 900 * SECOND_NS;
    rig.arm_at(rig.now_ns);
    rig.on(SwitcherEvent::Program(program(PROGRAM)));
    for _ in 0..10 {
        rig.frame(reading(1, 1, -0.1));
    }
    rig.now_ns = 0;
    lives_on(rig, "anew");
}

#[test]
fn a_reading_from_the_future_does_not_hide_that_none_come() {
    let mut rig = Rig::started();
    rig.frame(None);
    rig.on(SwitcherEvent::Progress(Progress {
        stamp_ns: u64::MAX,
        ..reading(1, 1, -0.1).unwrap()
    }));
    let mut off = false;
    for _ in 0..70 {
        rig.frame(None);
        off |= rig.command().is_some_and(|command| !command.guidance);
    }
    assert!(off, "seven seconds without a reading");
}

#[test]
fn another_episode_voids_the_program() {
    let mut rig = Rig::started();
    rig.on(SwitcherEvent::Episode(Episode {
        id: EpisodeId(5),
        ..Default::default()
    }));
    assert!(rig.effects.is_empty());
    for _ in 0..30 {
        rig.frame(reading(1, 1, 0.1));
        assert!(rig.effects.is_empty(), "{:?}", rig.effects);
    }
    rig.on(SwitcherEvent::Program(program(ProgramId(8))));
    assert!(rig.effects.is_empty(), "a program of the episode before");
    rig.on(SwitcherEvent::Program(RewardProgram {
        episode: EpisodeId(5),
        ..program(ProgramId(9))
    }));
    let command = rig.command().unwrap();
    assert_eq!((command.stage, command.visit), (1, 2));
    assert_eq!(command.episode, EpisodeId(5));
    // The announcement that is sent again, or comes late, ends nothing.
    for id in [EpisodeId(5), EPISODE] {
        rig.on(SwitcherEvent::Episode(Episode {
            id,
            ..Default::default()
        }));
        assert_eq!(rig.switcher.machine.stage(), 1);
    }
}

#[test]
fn a_program_of_another_episode_begins_it() {
    let mut rig = Rig::started();
    rig.on(SwitcherEvent::Program(RewardProgram {
        episode: EpisodeId(6),
        ..program(ProgramId(8))
    }));
    assert_eq!(rig.command().unwrap().episode, EpisodeId(6));
    rig.on(SwitcherEvent::Episode(Episode {
        id: EpisodeId(6),
        ..Default::default()
    }));
    assert_eq!(rig.switcher.machine.stage(), 1, "it has begun already");
}

#[test]
fn a_program_without_stages_is_told_and_the_one_before_goes_on() {
    let mut rig = Rig::started();
    rig.on(SwitcherEvent::Program(RewardProgram {
        num_stages: 0,
        descriptions: Vec::new(),
        has_done: Vec::new(),
        unguided: Vec::new(),
        ..program(ProgramId(8))
    }));
    assert_eq!(rig.notices(), [("program_refused", Level::Error)]);
    rig.frame(reading(1, 1, 0.1));
    rig.frame(reading(1, 1, 0.1));
    assert_eq!(rig.command().unwrap().stage, 2);
}
