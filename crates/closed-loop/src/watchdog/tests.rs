use proptest::prelude::*;

use super::*;

const MS: u64 = 1_000_000;

fn watch(reaction: Reaction, limit_ms: u64) -> Watch {
    Watch {
        reaction,
        limit_ns: limit_ms * MS,
    }
}

fn config() -> WatchdogConfig {
    WatchdogConfig {
        chunk: watch(Reaction::Hold, 300),
        camera: watch(Reaction::Hold, 100),
        keypoints: watch(Reaction::Hold, 200),
        sampler: watch(Reaction::Stop, 400),
        overrun: watch(Reaction::Hold, 10),
        cameras: vec!["image".to_owned(), "wrist_image".to_owned()],
    }
}

fn alarms(watchdog: &mut Watchdog, now_ns: u64) -> Vec<Source> {
    std::iter::from_fn(|| watchdog.check(now_ns))
        .map(|alarm| alarm.source)
        .collect()
}

#[test]
fn whoever_was_never_heard_is_not_missed() {
    let mut watchdog = Watchdog::new(config());
    assert!(alarms(&mut watchdog, u64::MAX).is_empty());
}

#[test]
fn what_was_heard_before_the_clock_was_known_counts_from_then() {
    let mut watchdog = Watchdog::new(config());
    watchdog.hear(Source::Sampler, 0);
    watchdog.begin(3_600_000 * MS);
    assert!(alarms(&mut watchdog, 3_600_400 * MS).is_empty());
    let missed = alarms(&mut watchdog, 3_600_401 * MS);
    assert_eq!(missed, [Source::Sampler], "and not what was never heard");
}

#[test]
fn a_silence_is_told_once_with_its_length_and_ends_with_the_next_word() {
    let mut watchdog = Watchdog::new(config());
    let wrist = Source::Camera(1);
    assert!(!watchdog.hear(wrist, 5 * MS));
    assert_eq!(watchdog.check(105 * MS), None, "the limit itself is kept");
    let alarm = watchdog.check(106 * MS).unwrap();
    assert_eq!((alarm.source, alarm.reaction), (wrist, Reaction::Hold));
    assert_eq!((alarm.silent_ns, alarm.limit_ns), (101 * MS, 100 * MS));
    assert_eq!(watchdog.name(wrist), "wrist_image");
    assert_eq!(watchdog.check(900 * MS), None);
    assert_eq!(watchdog.missing(Reaction::Hold), Some(wrist));
    assert!(watchdog.hear(wrist, 901 * MS), "it is back");
    assert!(!watchdog.hear(wrist, 902 * MS));
    assert_eq!(watchdog.missing(Reaction::Hold), None);
}

#[test]
fn each_is_watched_by_itself() {
    let mut watchdog = Watchdog::new(config());
    for source in [
        Source::Chunk,
        Source::Camera(0),
        Source::Keypoints,
        Source::Sampler,
    ] {
        watchdog.hear(source, 0);
    }
    assert_eq!(
        alarms(&mut watchdog, 250 * MS),
        [Source::Keypoints, Source::Camera(0)]
    );
    watchdog.forget(Source::Chunk);
    assert_eq!(alarms(&mut watchdog, 500 * MS), [Source::Sampler]);
    assert_eq!(watchdog.missing(Reaction::Stop), Some(Source::Sampler));
}

#[test]
fn what_is_off_is_never_missed() {
    let mut watchdog = Watchdog::new(WatchdogConfig::default());
    for source in [Source::Chunk, Source::Camera(0), Source::Sampler] {
        assert!(!watchdog.hear(source, 0));
    }
    assert!(alarms(&mut watchdog, u64::MAX).is_empty());
    assert_eq!(watchdog.round_took(u64::MAX, 0), None);
}

#[test]
fn a_loop_that_was_late_is_well_after_a_second_in_time() {
    let mut watchdog = Watchdog::new(config());
    assert_eq!(watchdog.round_took(10 * MS, MS), None);
    let alarm = watchdog.round_took(11 * MS, 100 * MS).unwrap();
    assert_eq!((alarm.source, alarm.silent_ns), (Source::Loop, 11 * MS));
    assert_eq!(watchdog.round_took(15 * MS, 500 * MS), None, "told once");
    assert!(!watchdog.is_loop_back(1_499 * MS));
    assert!(watchdog.is_loop_back(1_500 * MS));
    assert!(!watchdog.is_loop_back(1_501 * MS));
    assert!(watchdog.round_took(11 * MS, 1_600 * MS).is_some());
}

#[test]
fn cameras_beyond_those_that_fit_are_left_out() {
    let mut watchdog = Watchdog::new(config());
    watchdog.hear(Source::Camera(200), 0);
    assert!(alarms(&mut watchdog, u64::MAX).is_empty());
}

/// What may happen to a source: it is heard, forgotten, or time passes, ms.
#[derive(Debug, Clone, Copy)]
enum Step {
    Hear,
    Forget,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        4 => Just(Step::Hear),
        1 => Just(Step::Forget),
        4 => (0_u64..300).prop_map(Step::Wait),
    ];
    prop::collection::vec((0_usize..5, step), 1..200)
}

proptest! {
    /// Against the plainest account of it: a source is missing exactly if it was heard, not forgotten since,
    /// and its silence was longer than its limit when it was last looked at.
    #[test]
    fn missing_is_who_was_heard_and_fell_silent(steps in steps()) {
        let sources = [
            (Source::Chunk, 300),
            (Source::Camera(0), 100),
            (Source::Camera(1), 100),
            (Source::Keypoints, 200),
            (Source::Sampler, 400),
        ];
        let mut watchdog = Watchdog::new(config());
        let mut last: [Option<u64>; 5] = [None; 5];
        let mut told: [bool; 5] = [false; 5];
        let mut now_ms = 0;
        for (at, step) in steps {
            let (source, _) = sources[at];
            match step {
                Step::Hear => {
                    prop_assert_eq!(watchdog.hear(source, now_ms * MS), told[at]);
                    (last[at], told[at]) = (Some(now_ms), false);
                }
                Step::Forget => {
                    watchdog.forget(source);
                    (last[at], told[at]) = (None, false);
                }
                Step::Wait(ms) => now_ms += ms,
            }
            let found = alarms(&mut watchdog, now_ms * MS);
            for (at, (source, limit_ms)) in sources.into_iter().enumerate() {
                let is_silent = last[at].is_some_and(|heard| now_ms - heard > limit_ms);
                prop_assert_eq!(found.contains(&source), is_silent && !told[at]);
                told[at] = is_silent;
            }
            let is_held = sources.iter().zip(told).any(|((source, _), told)| {
                told && *source != Source::Sampler
            });
            prop_assert_eq!(watchdog.missing(Reaction::Hold).is_some(), is_held);
            prop_assert_eq!(watchdog.missing(Reaction::Stop).is_some(), told[4]);
        }
    }
}
