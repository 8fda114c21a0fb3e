//! The scheduler of workers as a machine: whatever is lost, late, repeated or dead, each job has one answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use tiller_bench::episode::EpisodeResult;
use tiller_bench::fleet::{Answer, At, Build, Effect, Plan, Report, Scheduler, Work};
use tiller_bench::{EpisodeLine, Handicap, NamedJob, Settings, SightSettings, Tuned};

fn settings() -> Settings {
    Settings {
        world: "toy".to_owned(),
        policy: "flow".to_owned(),
        policy_sha256: "00".to_owned(),
        provider: "cpu".to_owned(),
        max_steps: 400,
        guide: None,
        handicap: Handicap::default(),
        sight: SightSettings::default(),
        programs_sha256: None,
        tuned: Tuned::shipped().unwrap(),
    }
}

fn plan() -> Plan {
    Plan {
        build: Build::this(),
        settings: settings(),
        folder: PathBuf::from("/"),
        policy_folder: PathBuf::from("flow"),
        detector_model: None,
        programs: None,
        pictures: None,
        records: false,
    }
}

fn name(job: usize) -> NamedJob {
    NamedJob {
        task: Some("push".to_owned()),
        variation: None,
        method: "full".to_owned(),
        seed: job as u64,
    }
}

fn line_of(job: usize) -> Box<EpisodeLine> {
    let NamedJob { task, method, .. } = name(job);
    Box::new(EpisodeLine {
        task: task.unwrap(),
        suite: String::new(),
        variation: None,
        seed: job as u64,
        method,
        steered: true,
        instruction: None,
        policy: "flow".to_owned(),
        provider: "cpu".to_owned(),
        failure: None,
        pictures: None,
        result: EpisodeResult::default(),
        settings: settings(),
    })
}

fn scheduler(jobs: usize, workers: usize) -> Scheduler {
    let workers = (0..workers).map(|it| format!("worker-{it}")).collect();
    Scheduler::new(plan(), (0..jobs).map(name).collect(), workers)
}

fn report(at: At) -> Report {
    Report {
        build: Build::this(),
        host: "here".to_owned(),
        at,
    }
}

fn done(job: usize) -> At {
    let (line, record) = (line_of(job), None);
    At::Done { job, line, record }
}

fn failed(job: usize) -> At {
    let error = "no picture".to_owned();
    At::Failed { job, error }
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// In words.
fn words(effects: Vec<Effect>) -> Vec<String> {
    let word = |effect| match effect {
        Effect::Send { worker, work } => match work {
            Work::Load(_) => format!("load {worker}"),
            Work::Run { job, name } => {
                assert_eq!(name.seed, job as u64);
                format!("run {worker} {job}")
            }
            Work::Rest => format!("rest {worker}"),
        },
        Effect::Answer(Answer::Line { job, .. }) => format!("line {job}"),
        Effect::Answer(Answer::GivenUp { job, why }) => format!("given up {job}: {why}"),
        Effect::Note(text) => format!("note {text}"),
        Effect::Over { error } => format!("over {error:?}"),
    };
    effects.into_iter().map(word).collect()
}

fn hear(scheduler: &mut Scheduler, worker: usize, at: At, now: Duration) -> Vec<String> {
    scheduler.hear(worker, 1, report(at), now);
    words(scheduler.effects())
}

#[test]
fn jobs_go_out_in_order_to_whoever_is_free() {
    let mut it = scheduler(3, 2);
    assert_eq!(hear(&mut it, 0, At::New, s(0)), ["load 0"]);
    assert_eq!(hear(&mut it, 0, At::Loading, s(1)), [""; 0]);
    assert_eq!(hear(&mut it, 0, At::Ready, s(2)), ["run 0 0"]);
    assert_eq!(hear(&mut it, 1, At::Ready, s(2)), ["run 1 1"]);
    for (worker, job) in [(0, 0), (1, 1)] {
        let at = At::Working { job };
        assert_eq!(hear(&mut it, worker, at, s(2)), [""; 0]);
    }
    assert_eq!(hear(&mut it, 1, done(1), s(3)), ["line 1", "run 1 2"]);
    assert_eq!(hear(&mut it, 1, At::Working { job: 2 }, s(3)), [""; 0]);
    assert_eq!(hear(&mut it, 0, done(0), s(4)), ["line 0", "rest 0"]);
    assert_eq!(hear(&mut it, 0, At::Ready, s(5)), [""; 0]);
    assert_eq!(
        hear(&mut it, 1, done(2), s(6)),
        ["line 2", "rest 1", "over None"]
    );
    assert_eq!(hear(&mut it, 1, done(2), s(7)), [""; 0]);
}

#[test]
fn what_gets_lost_is_said_again_and_what_comes_twice_counts_once() {
    let mut it = scheduler(3, 1);
    assert_eq!(hear(&mut it, 0, At::Ready, s(0)), ["run 0 0"]);
    // The order was on its way when this was said.
    assert_eq!(
        hear(&mut it, 0, At::Ready, Duration::from_millis(100)),
        [""; 0]
    );
    assert_eq!(hear(&mut it, 0, At::Ready, s(1)), ["run 0 0"]);
    it.tick(s(2));
    assert_eq!(words(it.effects()), ["run 0 0"]);
    assert_eq!(hear(&mut it, 0, At::Working { job: 0 }, s(3)), [""; 0]);
    it.tick(s(5));
    assert_eq!(words(it.effects()), [""; 0]);
    assert_eq!(hear(&mut it, 0, done(0), s(6)), ["line 0", "run 0 1"]);
    // The order for the next one got lost.
    assert_eq!(hear(&mut it, 0, done(0), s(7)), ["run 0 1"]);
    assert_eq!(hear(&mut it, 0, done(1), s(8)), ["line 1", "run 0 2"]);
    assert_eq!(
        hear(&mut it, 0, done(1), Duration::from_millis(8100)),
        [""; 0]
    );
    assert_eq!(
        hear(&mut it, 0, done(2), s(9)),
        ["line 2", "rest 0", "over None"]
    );
}

#[test]
fn the_job_of_a_worker_that_dies_goes_to_another() {
    let mut it = scheduler(2, 2);
    hear(&mut it, 0, At::Ready, s(0));
    hear(&mut it, 1, At::Ready, s(0));
    it.ended(0, "killed", s(1));
    let notes = [
        "note worker-0 (here): has ended: killed",
        "note push, full, seed 0: worker-0 (here): killed (try 1 of 3)",
    ];
    // The other one is told again what is next for it: it has not said that it works.
    assert_eq!(words(it.effects())[..2], notes);
    assert_eq!(hear(&mut it, 1, done(1), s(2)), ["line 1", "run 1 0"]);
    it.ended(1, "killed", s(3));
    let last = words(it.effects()).pop().unwrap();
    let expected = "no worker is left: worker-0 (here): killed; worker-1 (here): killed";
    assert_eq!(last, format!("over Some({expected:?})"));
}

#[test]
fn a_worker_that_is_started_anew_goes_on() {
    let mut it = scheduler(1, 1);
    hear(&mut it, 0, At::Ready, s(0));
    hear(&mut it, 0, At::Working { job: 0 }, s(1));
    it.hear(0, 2, report(At::New), s(2));
    let found = words(it.effects());
    assert!(
        found[0].ends_with("it was started anew (try 1 of 3)"),
        "{found:?}"
    );
    assert_eq!(found[1], "load 0");
    // A late word of the one that has died.
    assert_eq!(hear(&mut it, 0, At::Working { job: 0 }, s(2)), [""; 0]);
    it.hear(0, 2, report(At::Ready), s(3));
    assert_eq!(words(it.effects()), ["run 0 0"]);
    it.hear(0, 2, report(done(0)), s(4));
    assert_eq!(words(it.effects()), ["line 0", "rest 0", "over None"]);
}

#[test]
fn a_silent_worker_is_replaced_and_its_late_answer_counts_once() {
    let mut it = scheduler(1, 2);
    hear(&mut it, 0, At::Ready, s(0));
    hear(&mut it, 0, At::Working { job: 0 }, s(1));
    hear(&mut it, 1, At::Ready, s(15));
    it.tick(s(16));
    let found = words(it.effects());
    assert_eq!(
        found[0],
        "note worker-0 (here): nothing was heard of it for 15 s"
    );
    assert_eq!(found[2..], ["run 1 0"]);
    assert_eq!(hear(&mut it, 1, At::Working { job: 0 }, s(17)), [""; 0]);
    let again = "note worker-0 (here): is heard again";
    let found = hear(&mut it, 0, done(0), s(18));
    assert_eq!(found, [again, "line 0", "rest 0", "over None"]);
    assert_eq!(hear(&mut it, 1, done(0), s(19)), [""; 0]);
}

#[test]
fn a_job_that_fails_is_tried_elsewhere_and_given_up_with_all_reasons() {
    let mut it = scheduler(1, 2);
    hear(&mut it, 1, At::Ready, s(0));
    hear(&mut it, 0, At::Ready, s(0));
    let found = hear(&mut it, 1, failed(0), s(1));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[1..] == ["rest 1", "run 0 0"], "{found:?}");
    hear(&mut it, 0, At::Working { job: 0 }, s(1));
    // Said once more before it was told to rest: it counts once.
    assert_eq!(hear(&mut it, 1, failed(0), s(2)), ["rest 1"]);
    hear(&mut it, 1, At::Ready, s(3));
    let found = hear(&mut it, 0, failed(0), s(4));
    // It has failed everywhere: anybody may try.
    assert_eq!(found[1..], ["rest 0", "run 1 0"], "{found:?}");
    hear(&mut it, 0, At::Ready, s(5));
    let found = hear(&mut it, 1, failed(0), s(7));
    let reasons = "given up 0: worker-1 (here): no picture; worker-0 (here): no picture; \
                   worker-1 (here): no picture";
    assert_eq!(found[1..], [reasons, "rest 1", "over None"]);
}

#[test]
fn another_build_is_refused_by_name() {
    let mut it = scheduler(1, 2);
    let mut other = report(At::New);
    other.build.sources = "0123".to_owned();
    it.hear(0, 1, other.clone(), s(0));
    let found = words(it.effects());
    assert_eq!(found.len(), 1);
    let expected = "note worker-0 (here): is refused: expected the build ";
    assert!(found[0].starts_with(expected), "{found:?}");
    assert!(found[0].contains("sources 0123"), "{found:?}");
    it.hear(0, 1, other, s(1));
    assert_eq!(words(it.effects()), [""; 0]);
    let reason = "there is no policy".to_owned();
    let found = hear(&mut it, 1, At::Unfit { reason }, s(2));
    assert_eq!(
        found[0],
        "note worker-1 (here): cannot work: there is no policy"
    );
    assert!(found[1].contains("no worker is left"), "{found:?}");
}

#[test]
fn a_stop_waits_for_what_is_under_way() {
    let mut it = scheduler(3, 2);
    hear(&mut it, 0, At::Ready, s(0));
    hear(&mut it, 0, At::Working { job: 0 }, s(1));
    it.stop(s(2));
    assert_eq!(hear(&mut it, 1, At::Ready, s(3)), [""; 0]);
    assert_eq!(
        hear(&mut it, 0, done(0), s(4)),
        ["line 0", "rest 0", "over None"]
    );
    let mut it = scheduler(3, 2);
    it.stop(s(0));
    assert_eq!(words(it.effects()), ["over None"]);
}

#[test]
fn nobody_is_waited_for_for_ever() {
    let mut it = scheduler(1, 1);
    it.tick(s(61));
    assert_eq!(
        words(it.effects()),
        ["note worker-0: nothing was heard of it for 61 s"]
    );
    it.tick(s(121));
    let expected = "no worker has been heard for 120 s";
    assert_eq!(words(it.effects()), [format!("over Some({expected:?})")]);
}

/// A worker as it is, less its episodes, and a wire that loses and repeats.
struct Toy {
    session: u64,
    at: At,
}

impl Toy {
    fn take(&mut self, work: Work) {
        match (work, &self.at) {
            (Work::Load(_), At::New) => self.at = At::Ready,
            (Work::Run { job, .. }, At::Ready) => self.at = At::Working { job },
            (
                Work::Run { job, .. },
                At::Done { job: before, .. } | At::Failed { job: before, .. },
            ) if job != *before => {
                self.at = At::Working { job };
            }
            (Work::Rest, At::Done { .. } | At::Failed { .. }) => self.at = At::Ready,
            _ => {}
        }
    }
}

proptest! {
    /// Whatever gets lost, comes twice, dies or falls silent: in the end each job has exactly one answer.
    #[test]
    fn every_job_has_one_answer(chances in prop::collection::vec(0_u8..100, 400), workers in 1_usize..4) {
        let jobs = 7;
        let mut it = scheduler(jobs, workers);
        let mut toys: Vec<Toy> = (0..workers).map(|_| Toy { session: 1, at: At::New }).collect();
        let mut answers = vec![0; jobs];
        let mut over = false;
        // After the bad luck everything works, so that it must come to an end.
        let luck = chances.into_iter().chain(std::iter::repeat(98)).take(1000);
        for (step, chance) in luck.enumerate() {
            let now = Duration::from_millis(300 * step as u64);
            let index = step % workers;
            let toy = &mut toys[index];
            if let At::Working { job } = toy.at {
                toy.at = match chance {
                    0..5 => failed(job),
                    5..40 => toy.at.clone(),
                    _ => done(job),
                };
            }
            if chance == 41 {
                *toy = Toy { session: toy.session + 1, at: At::New };
            }
            if chance >= 20 {
                it.hear(index, toy.session, report(toy.at.clone()), now);
            }
            it.tick(now);
            for effect in it.effects() {
                match effect {
                    Effect::Send { worker, work } if chance % 3 != 0 => {
                        toys[worker].take(work.clone());
                        toys[worker].take(work);
                    }
                    Effect::Answer(Answer::Line { job, line, .. }) => {
                        prop_assert_eq!(line.seed, job as u64);
                        answers[job] += 1;
                    }
                    Effect::Answer(Answer::GivenUp { job, .. }) => answers[job] += 1,
                    Effect::Over { error } => {
                        prop_assert_eq!(error, None);
                        over = true;
                    }
                    Effect::Send { .. } | Effect::Note(_) => {}
                }
            }
        }
        prop_assert!(over, "{:?}", answers);
        prop_assert_eq!(answers, vec![1; jobs]);
    }
}
