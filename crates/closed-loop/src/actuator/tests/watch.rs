//! What becomes of the arm when something that is watched falls silent.

use super::*;
use crate::watchdog::{Reaction, Source, Watch, WatchdogConfig};

fn watch(reaction: Reaction, limit_ms: u64) -> Watch {
    Watch {
        reaction,
        limit_ns: limit_ms * 1_000_000,
    }
}

/// A machine that misses a camera for 200 ms, the sampler for 400 ms and chunks for 300 ms.
fn watched(camera: Reaction) -> Rig {
    let mut rig = unseen(camera);
    rig.period();
    rig
}

/// The same before the arm's first state.
fn unseen(camera: Reaction) -> Rig {
    let mut rig = Rig::new();
    rig.actuator = Actuator::new(ActuatorConfig::default()).guarded(&Guard {
        watchdog: WatchdogConfig {
            camera: watch(camera, 200),
            sampler: watch(Reaction::Stop, 400),
            chunk: watch(Reaction::Hold, 300),
            cameras: vec!["image".to_owned()],
            ..WatchdogConfig::default()
        },
        ..Guard::default()
    });
    rig
}

const CAMERA: Source = Source::Camera(0);

impl Rig {
    /// Periods in which the camera sends and the sampler lives.
    fn lives(&mut self, periods: usize) {
        for _ in 0..periods {
            self.on(ActuatorEvent::Heard(CAMERA));
            self.on(ActuatorEvent::Heard(Source::Sampler));
            self.periods(1);
        }
    }

    /// Periods until something is told, with its kind and words.
    fn until_told(&mut self, most: usize) -> (usize, String, String) {
        for count in 1..=most {
            self.periods(1);
            let told = self.effects.iter().find_map(|effect| match effect {
                ActuatorEffect::Safety(event) => Some(event.clone()),
                _ => None,
            });
            if let Some(event) = told {
                let (limit_ms, silent_ms) = (event.limit.unwrap(), event.value.unwrap());
                assert_eq!(event.quantity.as_deref(), Some("silent_ms"));
                assert!(silent_ms >= limit_ms && event.text.contains(&format!("{silent_ms} ms")));
                return (count, event.kind, event.text);
            }
        }
        panic!("nothing was told in {most} periods");
    }
}

#[test]
fn whoever_speaks_before_the_arm_is_seen_is_not_missed_at_its_first_state() {
    let mut rig = unseen(Reaction::Hold);
    rig.on(ActuatorEvent::Heard(CAMERA));
    rig.on(ActuatorEvent::Heard(Source::Sampler));
    rig.now_ns = 3_600 * SECOND_NS;
    rig.period();
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    let (periods, kind, _) = rig.until_told(15);
    assert_eq!((periods, kind.as_str()), (10, "no_camera"));
}

#[test]
fn an_arm_that_is_held_rests_refuses_chunks_and_goes_on_by_itself() {
    let mut rig = watched(Reaction::Hold);
    rig.lives(2);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    rig.lives(10);
    assert_eq!(rig.execution().unwrap().mode, ExecutionMode::Executing);
    rig.on(ActuatorEvent::Heard(CAMERA));
    let (_, kind, text) = rig.until_told(15);
    assert_eq!(kind, "no_camera");
    assert!(
        text.contains("nothing of `image` for 2") && text.contains("within 200 ms"),
        "{text}"
    );
    let keep_sampler = |rig: &mut Rig| {
        rig.on(ActuatorEvent::Heard(Source::Sampler));
        rig.periods(5);
    };
    for _ in 0..10 {
        keep_sampler(&mut rig);
    }
    assert_eq!(rig.mode(), ExecutionMode::Held);
    assert!(rig.speed() < 1e-3, "{} rad/s", rig.speed());
    rig.on(ActuatorEvent::Chunk(rig.chunk(2)));
    assert_eq!(rig.safety(), ["held"]);
    rig.on(ActuatorEvent::Heard(CAMERA));
    assert_eq!(rig.notices(), ["watchdog_over"]);
    rig.lives(1);
    rig.on(ActuatorEvent::Chunk(rig.chunk(3)));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    rig.lives(1);
    assert_eq!(rig.mode(), ExecutionMode::Executing);
}

#[test]
fn an_arm_that_is_stopped_waits_for_people_and_for_what_is_missing() {
    let mut rig = watched(Reaction::Stop);
    rig.lives(2);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    rig.lives(10);
    let (_, kind, text) = rig.until_told(15);
    assert_eq!(kind, "no_camera");
    assert!(text.contains("the arm is stopped"), "{text}");
    rig.periods(80);
    assert_eq!(rig.mode(), ExecutionMode::Stopped);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.safety(), ["not_resumed"]);
    rig.on(ActuatorEvent::Heard(CAMERA));
    rig.on(ActuatorEvent::Heard(Source::Sampler));
    rig.periods(1);
    assert_eq!(
        rig.mode(),
        ExecutionMode::Stopped,
        "it does not go on by itself"
    );
    rig.on(ActuatorEvent::Heard(CAMERA));
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.safety(), ["resumed"]);
}

#[test]
fn a_chunk_is_missed_from_when_the_one_before_is_over() {
    let mut rig = watched(Reaction::Off);
    for _ in 0..50 {
        rig.on(ActuatorEvent::Heard(Source::Sampler));
        rig.periods(1);
    }
    assert!(rig.safety().is_empty(), "nobody has sent one yet");
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    let mut told = Vec::new();
    let mut begun_to_hold = None;
    for period in 0..80 {
        rig.on(ActuatorEvent::Heard(Source::Sampler));
        rig.periods(1);
        let mode = rig.execution().unwrap().mode;
        if mode == ExecutionMode::Holding && begun_to_hold.is_none() {
            begun_to_hold = Some(period);
        }
        told.extend(rig.safety().iter().map(|kind| (period, (*kind).to_owned())));
    }
    let [(at, kind)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(kind, "no_chunk");
    let silent = at - begun_to_hold.unwrap();
    assert!(
        (14..=17).contains(&silent),
        "300 ms are 15 periods: {silent}"
    );
    // The next one is taken all the same: it is what was missing.
    rig.on(ActuatorEvent::Chunk(rig.chunk(2)));
    assert_eq!(rig.notices(), ["watchdog_over"]);
    assert_eq!(rig.mode(), ExecutionMode::Executing);
    rig.on(ActuatorEvent::Quiet(Source::Chunk));
    for _ in 0..100 {
        rig.on(ActuatorEvent::Heard(Source::Sampler));
        rig.periods(1);
        assert!(rig.safety().is_empty(), "nothing more is expected");
    }
}

#[test]
fn time_that_stands_still_makes_nothing_late() {
    let mut rig = watched(Reaction::Stop);
    rig.lives(2);
    // The caller's clock goes on for an hour, the arm's does not.
    let mut effects = Vec::new();
    rig.actuator
        .on(ActuatorEvent::Time, 3_600 * SECOND_NS, &mut effects);
    assert!(effects.is_empty(), "{effects:?}");
}
