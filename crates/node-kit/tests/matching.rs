//! Frames of several cameras: what is brought together, and what is said of cameras that are not
//! well.

use std::sync::Arc;

use proptest::prelude::*;
use tiller_node_kit::{Complaint, ComplaintKind, FrameMatcher, FrameStamp, Offered};

const MS: u64 = 1_000_000;
const TOLERANCE_NS: u64 = 20 * MS;

/// Taken and arrived at the same moment of one clock.
fn at(ms: u64) -> FrameStamp {
    arriving(ms, ms)
}

fn arriving(stamp_ms: u64, arrival_ms: u64) -> FrameStamp {
    FrameStamp {
        stamp_ns: stamp_ms * MS,
        arrival_ns: arrival_ms * MS,
        fingerprint: 0,
    }
}

fn pair() -> FrameMatcher<u64> {
    FrameMatcher::new(["static", "wrist"], TOLERANCE_NS)
}

/// Looks ten times a second; gives everything that was said, with the time, ms.
fn watch(
    matcher: &mut FrameMatcher<u64>,
    to_ms: u64,
    mut each_10_ms: impl FnMut(&mut FrameMatcher<u64>, u64),
) -> Vec<(u64, Complaint)> {
    let mut said = Vec::new();
    for now_ms in (0..to_ms).step_by(10) {
        each_10_ms(matcher, now_ms);
        while matcher.take(0).is_some() {}
        if now_ms % 100 == 0 {
            let complaints = matcher.complaints(now_ms * MS);
            said.extend(complaints.into_iter().map(|c| (now_ms, c)));
        }
    }
    said
}

fn only(said: &[(u64, Complaint)], kind: ComplaintKind, camera: &str) -> (u64, String) {
    let of_kind: Vec<_> = said.iter().filter(|(_, c)| c.kind == kind).collect();
    let [(when, complaint)] = of_kind.as_slice() else {
        panic!("{kind:?} of {camera} in {said:?}")
    };
    assert_eq!(complaint.camera, camera);
    (*when, complaint.text.clone())
}

#[test]
fn a_camera_that_is_4_ms_later_simply_works() {
    let mut matcher = pair();
    let mut matched = 0;
    for n in 0..50 {
        matcher.offer(0, at(100 * n), 100 * n);
        matcher.offer(1, at(100 * n + 4), 100 * n + 4);
        let found = matcher.take(0).unwrap();
        assert_eq!(found.frames, [100 * n, 100 * n + 4]);
        matched += 1;
    }
    assert_eq!((matched, matcher.unmatched()), (50, 0));
    assert!(matcher.take(0).is_none(), "each frame is matched once");
}

#[test]
fn cameras_of_30_and_15_hz_match_at_15() {
    let mut matcher = pair();
    let mut stamps = Vec::new();
    for n in 0..60_u64 {
        let ms = n * 100 / 3;
        matcher.offer(0, at(ms), ms);
        if n % 2 == 0 {
            matcher.offer(1, at(ms + 5), ms + 5);
        }
        stamps.extend(matcher.take(0).map(|m| m.stamp_ns / MS));
    }
    let expected: Vec<u64> = (0..60).step_by(2).map(|n| n * 100 / 3).collect();
    assert_eq!(stamps, expected);
}

#[test]
fn a_fast_camera_is_not_paired_with_the_frame_before() {
    // At 60 Hz the frame before lies within the tolerance; depth arrives after colour.
    let mut matcher = FrameMatcher::new(["colour", "depth"], TOLERANCE_NS);
    let mut pairs = Vec::new();
    for n in 0..40_u64 {
        let ms = n * 50 / 3;
        matcher.offer(0, arriving(ms, ms + 1), ms);
        pairs.extend(matcher.take(0));
        matcher.offer(1, arriving(ms, ms + 9), ms);
        pairs.extend(matcher.take(0));
    }
    assert_eq!(pairs.len(), 40);
    assert!(
        pairs.iter().all(|pair| pair.frames[0] == pair.frames[1]),
        "{pairs:?}"
    );
}

#[test]
fn frames_that_come_late_out_of_order_or_twice_do_no_harm() {
    let mut matcher = pair();
    assert_eq!(matcher.offer(0, at(100), 1), Offered::Kept);
    assert_eq!(matcher.offer(0, at(100), 2), Offered::Repeated);
    assert_eq!(matcher.offer(0, at(300), 3), Offered::Kept);
    assert_eq!(matcher.offer(0, at(200), 4), Offered::Kept);
    assert_eq!(matcher.offer(1, at(201), 5), Offered::Kept);
    assert_eq!(matcher.take(0).unwrap().frames, [4, 5]);
    assert_eq!(matcher.offer(0, at(150), 6), Offered::Late);
    assert_eq!(matcher.offer(7, at(400), 7), Offered::Repeated);
    matcher.offer(1, at(301), 8);
    assert!(
        matcher.take(300 * MS).is_none(),
        "the caller has had that moment"
    );
    assert_eq!(matcher.take(299 * MS).unwrap().frames, [3, 8]);
}

#[test]
fn a_clock_that_starts_anew_is_followed() {
    let mut matcher = pair();
    for ms in [50_000, 50_100, 0, 100, 200] {
        matcher.offer(1, at(ms), ms);
        matcher.offer(0, at(ms), ms);
        assert_eq!(matcher.take(0).unwrap().frames, [ms, ms]);
    }
    matcher.clear();
    assert!(matcher.take(0).is_none());
}

#[test]
fn one_stamp_far_ahead_is_got_over() {
    let mut matcher = pair();
    let (mut matched, mut said) = (0, Vec::new());
    for n in 0..30 {
        let stamp = if n == 9 { 90_000 } else { n * 100 };
        matcher.offer(0, arriving(stamp, n * 100), n);
        matcher.offer(1, at(n * 100), n);
        matched += u32::from(matcher.take(0).is_some());
        said.extend(matcher.complaints(n * 100 * MS));
    }
    assert!(matched >= 28 && said.is_empty(), "{matched} {said:?}");
}

#[test]
fn a_lag_beyond_the_tolerance_is_named_within_a_second() {
    let mut matcher = pair();
    let said = watch(&mut matcher, 3000, |m, now| {
        if now % 100 == 0 {
            m.offer(0, at(now), 0);
            m.offer(1, arriving(now.saturating_sub(40), now), 0);
        }
    });
    let (when, text) = only(&said, ComplaintKind::Unmatched, "wrist");
    assert_eq!(
        text,
        "camera `wrist` is 40 ms behind `static`; tolerance 20 ms"
    );
    assert!(when <= 1000 && said.len() == 1, "{said:?}");
    assert!(matcher.unmatched() > 20);
}

#[test]
fn a_camera_that_never_comes_is_named_once_another_has_come() {
    let mut matcher = pair();
    let said = watch(&mut matcher, 6000, |m, now| {
        if now >= 3000 && now % 100 == 0 {
            m.offer(0, at(now), 0);
        }
    });
    let waiting: Vec<_> = said
        .iter()
        .filter(|(_, c)| c.kind == ComplaintKind::Waiting)
        .collect();
    assert_eq!(waiting.len(), 2, "both are waited for at first");
    let (when, text) = only(&said, ComplaintKind::Missing, "wrist");
    assert!((3800..=4000).contains(&when), "{when}");
    assert_eq!(
        text,
        "camera `wrist` has sent no frame, though `static` has"
    );
}

#[test]
fn a_camera_that_comes_a_little_later_than_another_is_no_news() {
    let mut matcher = pair();
    let said = watch(&mut matcher, 4000, |m, now| {
        if now % 100 == 0 && now >= 500 {
            m.offer(0, at(now), 0);
        }
        if now % 100 == 0 && now >= 900 {
            m.offer(1, at(now), 0);
        }
    });
    assert_eq!(said, []);
}

#[test]
fn a_camera_that_stops_is_named_and_its_return_told() {
    let mut matcher = pair();
    let said = watch(&mut matcher, 6000, |m, now| {
        if now % 50 == 0 {
            m.offer(0, at(now), 0);
            if !(2000..4000).contains(&now) {
                m.offer(1, at(now), 0);
            }
        }
    });
    let (when, text) = only(&said, ComplaintKind::Stopped, "wrist");
    assert!(
        (2700..=3000).contains(&when) && text.contains("no frame for 8"),
        "{when} {text}"
    );
    let (when, _) = only(&said, ComplaintKind::Recovered, "wrist");
    assert_eq!((when, said.len()), (4000, 2), "{said:?}");
}

#[test]
fn a_receiver_that_was_busy_blames_nobody() {
    let mut matcher = pair();
    let both = |m: &mut FrameMatcher<u64>, stamp_ms: u64, now_ms: u64| {
        m.offer(0, arriving(stamp_ms, now_ms), 0);
        m.offer(1, arriving(stamp_ms, now_ms), 0);
        m.complaints(now_ms * MS)
    };
    assert_eq!(both(&mut matcher, 100, 100), []);
    // It computes for seven seconds, then reads what has queued up.
    assert_eq!(matcher.complaints(7100 * MS), []);
    assert_eq!(both(&mut matcher, 7000, 7110), []);
    let said = matcher.complaints(7500 * MS);
    assert_eq!(said, [], "400 ms of silence are none");
}

#[test]
fn a_camera_that_repeats_its_frame_is_frozen() {
    let mut matcher = pair();
    let said = watch(&mut matcher, 3000, |m, now| {
        if now % 100 == 0 {
            m.offer(0, at(now), 0);
            m.offer(1, arriving(now.min(1000), now), 0);
        }
    });
    let (when, text) = only(&said, ComplaintKind::Frozen, "wrist");
    assert!(
        when <= 2000 && text.contains("the same stamp"),
        "{when} {text}"
    );
}

fn with_pixels(ms: u64, fingerprint: u64) -> FrameStamp {
    FrameStamp {
        fingerprint,
        ..at(ms)
    }
}

#[test]
fn pixels_that_stay_the_same_are_suspicious_only_where_something_moves() {
    let run = |wrist_moves: bool, arm_moves: Option<bool>| {
        let mut matcher = pair();
        watch(&mut matcher, 4000, |m, now| {
            if now % 100 == 0 {
                let moving = |moves: bool| if moves || now <= 1000 { now + 1 } else { 7 };
                m.offer(0, with_pixels(now, moving(false)), 0);
                m.offer(1, with_pixels(now, moving(wrist_moves)), 0);
                if let Some(moves) = arm_moves {
                    m.scene_moves(moves, now * MS);
                }
            }
        })
    };
    assert_eq!(run(false, None), [], "nothing moves, nothing is frozen");
    let (when, text) = only(&run(true, None), ComplaintKind::Frozen, "static");
    assert!(
        when <= 2000 && text.contains("the same pixels"),
        "{when} {text}"
    );
    // A still arm is believed, though a wrist camera may tremble.
    assert_eq!(run(true, Some(false)), []);
    let both = run(false, Some(true));
    assert_eq!(
        both.iter()
            .filter(|(_, c)| c.kind == ComplaintKind::Frozen)
            .count(),
        2
    );
}

#[test]
fn clocks_that_do_not_agree_are_named() {
    let wall_ms = 1_700_000_000_000_u64;
    let run = |offset: fn(u64) -> u64, reference: bool| {
        let mut matcher = pair();
        watch(&mut matcher, 3000, move |m, now| {
            if now % 100 == 0 {
                let stamp = now + 10_000;
                m.offer(0, arriving(stamp, now), 0);
                m.offer(1, arriving(offset(stamp), now), 0);
                if reference {
                    m.reference("arm_state", stamp * MS);
                }
            }
        })
    };
    for reference in [false, true] {
        let other = if reference { "arm_state" } else { "static" };
        let (when, text) = only(
            &run(|now| 1_700_000_000_000 + now, reference),
            ComplaintKind::Clock,
            "wrist",
        );
        assert!(when <= 300 && text.contains("time since 1970"), "{text}");
        assert!(
            text.contains(&format!("{}.0 s ahead of `{other}`", wall_ms / 1000)),
            "{text}"
        );
        let (when, text) = only(
            &run(|now| now.saturating_sub(2000), reference),
            ComplaintKind::Clock,
            "wrist",
        );
        assert!(when <= 2000 && text.contains("behind"), "{when} {text}");
    }
}

#[test]
fn three_streams_are_brought_together() {
    let mut matcher = FrameMatcher::new(["image", "depth", "segmentation"], TOLERANCE_NS);
    assert_eq!(
        matcher.cameras().collect::<Vec<_>>(),
        ["image", "depth", "segmentation"]
    );
    matcher.offer(2, at(1), 'l');
    matcher.offer(1, at(1), 'd');
    assert!(matcher.take(0).is_none());
    matcher.offer(0, at(0), 'c');
    let found = matcher.take(0).unwrap();
    assert_eq!((found.stamp_ns, found.frames), (0, vec!['c', 'd', 'l']));
}

/// Arrivals of periodic cameras, in order: camera, stamp, arrival, all in microseconds.
fn arrivals(cameras: &[(u64, u64, u64)], to_us: u64) -> Vec<(usize, u64, u64)> {
    let mut all = Vec::new();
    for (camera, (period, phase, delay)) in cameras.iter().enumerate() {
        let stamps = (0..)
            .map(|n| phase + n * period)
            .take_while(|stamp| *stamp < to_us);
        all.extend(stamps.map(|stamp| (camera, stamp, stamp + delay)));
    }
    all.sort_by_key(|(camera, _, arrival)| (*arrival, *camera));
    all
}

fn camera() -> impl Strategy<Value = (u64, u64, u64)> {
    (16_000u64..110_000, 0u64..100_000, 0u64..60_000)
}

proptest! {
    /// Whatever the rates, phases and delays: matches are true, in order and in time.
    #[test]
    fn nobody_starves(cameras in prop::collection::vec(camera(), 1..4)) {
        let tolerance_us = 20_000;
        let to_us = 4_000_000;
        let mut matcher = FrameMatcher::new((0..cameras.len()).map(|n| n.to_string()), tolerance_us * 1000);
        let mut matches = Vec::new();
        for (camera, stamp, arrival) in arrivals(&cameras, to_us) {
            let (stamp_ns, arrival_ns) = (stamp * 1000, arrival * 1000);
            matcher.offer(camera, FrameStamp { stamp_ns, arrival_ns, fingerprint: 0 }, stamp);
            while let Some(found) = matcher.take(0) {
                let leader = found.frames[0];
                for frame in &found.frames {
                    prop_assert!(frame.abs_diff(leader) <= tolerance_us);
                }
                prop_assert!(matches.last().is_none_or(|(before, _)| *before < leader));
                matches.push((leader, arrival));
            }
        }
        let slowest = cameras.iter().map(|(period, ..)| *period).max().unwrap();
        let (period, phase, _) = cameras[0];
        for stamp in (0..).map(|n| phase + n * period).take_while(|s| *s + 600_000 < to_us) {
            let partner = cameras.iter().all(|(period, phase, _)| {
                let before = stamp.saturating_sub(*phase) / period * period + phase;
                before.abs_diff(stamp).min((before + period).abs_diff(stamp)) <= tolerance_us
            });
            // It is matched itself, or a newer one was before its turn came.
            let served = matches.iter().any(|(leader, arrival)| {
                *leader >= stamp && *arrival <= stamp + 2 * slowest + 130_000
            });
            prop_assert!(!partner || served, "{stamp} of {cameras:?}: {matches:?}");
        }
    }

    /// Hostile stamps: a few frames are held and no more, and the same offers give the same.
    #[test]
    fn memory_is_bounded_and_nothing_depends_on_chance(
        offers in prop::collection::vec((0usize..4, any::<u64>(), 0u64..3_000, any::<bool>()), 0..200),
    ) {
        let run = || {
            let token = Arc::new(());
            let mut matcher = FrameMatcher::new(["a", "b", "c"], TOLERANCE_NS);
            let mut log = Vec::new();
            for (n, (camera, wild, near_ms, tame)) in offers.iter().enumerate() {
                let stamp_ns = if *tame { near_ms * MS } else { *wild };
                let arrival_ns = n as u64 * 30 * MS;
                let stamp = FrameStamp { stamp_ns, arrival_ns, fingerprint: wild % 3 };
                let offered = matcher.offer(*camera, stamp, Arc::clone(&token));
                let found = matcher.take(0).map(|m| m.stamp_ns);
                log.push(format!("{offered:?} {found:?} {:?}", matcher.complaints(arrival_ns)));
                assert!(Arc::strong_count(&token) <= 1 + 3 * 8);
            }
            log
        };
        prop_assert_eq!(run(), run());
    }
}
