//! Every clamp and refusal says which chunk it was, the limit and the value.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::{MS, Rig, chunk, row, seven};
use tiller_core::{ActionMode, Continuation};
use tiller_motion::kinematics::HOME_Q;
use tiller_motion::{
    Actuator, ActuatorConfig, ArmReading, Chunk, Limits, Quantity, Resume, SafetyEvent, SafetyKind,
};

/// What is told, of which quantity, with which limit and value, and how it is provoked.
type Case = (SafetyKind, Quantity, f64, f64, fn(&mut Chunk));

/// The one event of a kind, its limit and its value.
#[track_caller]
fn the(events: &[SafetyEvent], kind: SafetyKind) -> (Quantity, f64, f64, &SafetyEvent) {
    let found: Vec<_> = events.iter().filter(|event| event.kind == kind).collect();
    assert_eq!(found.len(), 1, "{kind}: {events:#?}");
    let violation = found[0].violation.unwrap();
    // People read the same numbers: a text is made from them.
    if kind != SafetyKind::EventsDropped && kind != SafetyKind::ResumeRefused {
        assert!(found[0].text.contains(&violation.to_string()), "{found:?}");
    }
    (
        violation.quantity,
        violation.limit,
        violation.value,
        found[0],
    )
}

/// Sends a chunk that is changed, and gives what is told of it.
fn told(config: ActuatorConfig, make: impl FnOnce(&mut Rig) -> Chunk) -> Vec<SafetyEvent> {
    let mut rig = Rig::new(config);
    let chunk = make(&mut rig);
    let answer = rig.actuator.accept(&chunk, rig.now_ns);
    let events = rig.actuator.drain_events();
    for event in &events {
        assert_eq!(event.chunk_seq, Some(chunk.seq), "{event:?}");
    }
    if let Err(refusal) = answer {
        assert_eq!(events.last().unwrap().violation, refusal.violation);
    }
    events
}

fn good(rig: &mut Rig) -> Chunk {
    rig.chunk(&[[0.01, 0.0, 0.0]; 2])
}

#[test]
fn what_is_wrong_with_a_chunk_has_its_numbers() {
    use SafetyKind::{AnchorGap, FromFuture, GripperRange, Malformed, OutOfOrder, StepTooLarge};
    let limits = Limits::panda();
    let cases: [Case; 9] = [
        (Malformed, Quantity::Rate, 1.0, 0.0, |c| {
            c.layout.rate_hz = 0.0
        }),
        (Malformed, Quantity::Rate, 100.0, 250.0, |c| {
            c.layout.rate_hz = 250.0
        }),
        (Malformed, Quantity::Steps, 2.0, 3.0, |c| {
            c.execute_steps = 3
        }),
        (Malformed, Quantity::QuaternionNorm, 1.0, 2.0, |c| {
            c.anchor.quaternion_wxyz = [0.0, 2.0, 0.0, 0.0];
        }),
        (FromFuture, Quantity::Lead, 50.0, 60.0, |c| {
            c.stamp_ns += 60 * MS
        }),
        (AnchorGap, Quantity::AnchorGap, 0.1, 0.2, |c| {
            c.anchor.position_m[1] += 0.2
        }),
        (StepTooLarge, Quantity::Step, limits.max_step_m, 0.2, |c| {
            row(c, 1)[..3].copy_from_slice(&[0.0, 0.2, 0.0]);
        }),
        (GripperRange, Quantity::Opening, 1.0, 1.5, |c| {
            row(c, 1)[3] = 2.0
        }),
        (OutOfOrder, Quantity::Sequence, 7.0, 5.0, |c| c.seq = 5),
    ];
    for (kind, quantity, limit, value, change) in cases {
        let events = told(ActuatorConfig::default(), |rig| {
            rig.seq = 6;
            rig.send(&[[0.0; 3]]).unwrap();
            let mut chunk = good(rig);
            change(&mut chunk);
            chunk
        });
        let found = the(&events, kind);
        assert_eq!((found.0, found.1), (quantity, limit));
        assert!((found.2 - value).abs() < 1e-9, "{found:?}");
    }
}

#[test]
fn what_comes_too_late_has_its_numbers() {
    let mut rig = Rig::new(ActuatorConfig::default());
    let old = good(&mut rig);
    rig.now_ns = 1500 * MS;
    assert!(rig.actuator.accept(&old, rig.now_ns).is_err());
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::Stale);
    assert_eq!((found.0, found.1, found.2), (Quantity::Age, 1000.0, 1500.0));

    let continuing = |rig: &mut Rig, seq, step, frozen_steps| {
        let mut chunk = rig.chunk(&[[0.01, 0.0, 0.0]; 6]);
        chunk.continues = Some(Continuation {
            seq,
            step,
            frozen_steps,
        });
        let _ = rig.actuator.accept(&chunk, rig.now_ns);
        rig.actuator.drain_events()
    };
    let mut rig = Rig::new(ActuatorConfig::default());
    rig.send(&[[0.01, 0.0, 0.0]; 6]).unwrap();
    rig.run(250);
    let events = continuing(&mut rig, 9, 0, 2);
    let found = the(&events, SafetyKind::NotContinuing);
    assert_eq!(
        (found.0, found.1, found.2),
        (Quantity::ContinuedSequence, 1.0, 9.0)
    );
    let events = continuing(&mut rig, 1, 5, 4);
    let found = the(&events, SafetyKind::NotContinuing);
    assert_eq!((found.0, found.1, found.2), (Quantity::FrozenEnd, 6.0, 9.0));
    let events = continuing(&mut rig, 1, 0, 1);
    let found = the(&events, SafetyKind::JoinedLate);
    assert_eq!((found.0, found.1, found.2), (Quantity::LateSteps, 0.0, 2.0));
    assert_eq!(found.3.chunk_seq, Some(rig.seq));
}

#[test]
fn what_leads_out_of_the_cell_has_its_numbers_and_its_step() {
    let config = ActuatorConfig::default();
    let events = told(config, |rig| rig.chunk(&[[0.0, 0.05, 0.0]; 13]));
    let found = the(&events, SafetyKind::OutsideWorkspace);
    assert_eq!((found.0, found.1), (Quantity::Outside, 0.0));
    // Out of reach as well as out of the box.
    assert!((found.2 - 0.1531).abs() < 1e-3, "{found:?}");
    assert_eq!(found.3.violation.unwrap().step, Some(12));

    let events = told(config, |rig| {
        let turn = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.8].repeat(13);
        chunk(rig, seven(ActionMode::JointVelocity), turn)
    });
    let found = the(&events, SafetyKind::OutsideJointLimits);
    let highest = config.limits.joint.position_max_rad[6] - config.limits.position_margin_rad;
    assert_eq!((found.0, found.1), (Quantity::JointPosition(6), highest));
    assert!(found.2 > highest);

    // The hand comes down to the table, and no further.
    let mut over_table = config;
    over_table.limits.clearance.table_height_m = Some(0.3);
    let events = told(over_table, |rig| rig.chunk(&[[0.0, 0.0, -0.03]; 4]));
    let found = the(&events, SafetyKind::TableTooNear);
    assert!(matches!(found.0, Quantity::AboveTable(8)), "{found:?}");
    assert!(found.1 > 0.0 && found.2 < found.1, "{found:?}");

    // The last joint but one folds the hand back against the forearm.
    let events = told(config, |rig| {
        let fold = [0.0, 0.0, 0.0, 0.0, 0.0, -1.8, 0.0].repeat(13);
        chunk(rig, seven(ActionMode::JointVelocity), fold)
    });
    let found = the(&events, SafetyKind::SelfCollision);
    assert!(matches!(found.0, Quantity::BetweenLinks(5, 8)), "{found:?}");
    assert!(found.1 > 0.02 && found.2 < found.1, "{found:?}");
}

#[test]
fn a_tilted_hand_and_a_lost_robot_have_their_numbers() {
    let sideways = [0.0, 0.0, 0.0, -1.9, 0.0, 3.4, 0.785];
    let mut rig = Rig::at(ActuatorConfig::default(), sideways);
    rig.send(&[[0.0; 3]]).unwrap_err();
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::Tilted);
    assert_eq!((found.0, found.1), (Quantity::Tilt, 0.35));
    assert!((found.2 - 1.5).abs() < 1e-3, "{found:?}");

    let mut rig = Rig::new(ActuatorConfig::default());
    rig.blocked = true;
    rig.send(&[[0.04, 0.0, 0.0]; 6]).unwrap();
    rig.run(900);
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::TrackingLost);
    assert_eq!((found.0, found.1), (Quantity::TrackingError, 0.1));
    assert!((0.1..0.101).contains(&found.2), "{found:?}");
    assert_eq!(found.3.chunk_seq, Some(1));
}

#[test]
fn what_is_wrong_with_readings_and_the_loop_has_its_numbers() {
    let config = ActuatorConfig {
        resume: Resume::Automatic { after_ns: 10 * MS },
        ..ActuatorConfig::default()
    };
    let mut rig = Rig::new(config);
    rig.send(&[[0.02, 0.0, 0.0]; 6]).unwrap();
    rig.run(50);
    let reading = rig.reading;
    rig.reading.q_rad[3] += 0.5;
    rig.now_ns += MS;
    rig.actuator.tick(&rig.reading, rig.now_ns);
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::ReadingRefused);
    assert_eq!(found.0, Quantity::JointJump(3));
    assert!(
        found.1 < found.2 && (found.2 - 0.5).abs() < 1e-3,
        "{found:?}"
    );

    rig.reading = reading;
    rig.reading.q_rad[5] = 9.0;
    for _ in 0..400 {
        rig.now_ns += MS;
        rig.actuator.tick(&rig.reading, rig.now_ns);
    }
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::ReadingLost);
    assert_eq!((found.0, found.1, found.2), (Quantity::Missed, 20.0, 21.0));

    // It was moved by hand meanwhile.
    rig.reading = ArmReading::at_rest(HOME_Q, 0.08);
    rig.reading.q_rad[0] = 0.9;
    for _ in 0..30 {
        rig.now_ns += MS;
        rig.actuator.tick(&rig.reading, rig.now_ns);
    }
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::ResumeRefused);
    assert_eq!((found.0, found.1), (Quantity::Displaced, 0.1));
    assert!(found.2 > 0.3, "{found:?}");

    let mut rig = Rig::new(ActuatorConfig::default());
    rig.send(&[[0.02, 0.0, 0.0]; 6]).unwrap();
    rig.now_ns += 300 * MS;
    rig.run(1);
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::LoopGap);
    assert_eq!((found.0, found.1, found.2), (Quantity::Pause, 200.0, 301.0));
}

#[test]
fn events_that_nobody_fetched_are_counted() {
    let mut rig = Rig::new(ActuatorConfig::default());
    for _ in 0..300 {
        let mut chunk = good(&mut rig);
        chunk.layout.rate_hz = 0.0;
        rig.actuator.accept(&chunk, 0).unwrap_err();
    }
    let events = rig.actuator.drain_events();
    let found = the(&events, SafetyKind::EventsDropped);
    assert_eq!(
        (found.0, found.1, found.2),
        (Quantity::Events, 256.0, 300.0)
    );
}

#[test]
fn a_start_beyond_every_limit_is_told_with_the_joint() {
    let mut q = HOME_Q;
    q[3] = 0.5;
    let refused = Actuator::new(ActuatorConfig::default(), &ArmReading::at_rest(q, 0.0), 0);
    let text = refused.unwrap_err().to_string();
    assert!(
        text.contains("joint 4") && text.contains("-0.0698"),
        "{text}"
    );
}
