//! What moves nothing until somebody allows it.

use super::*;

fn guarded() -> Rig {
    let mut rig = Rig::new();
    rig.actuator = Actuator::new(ActuatorConfig::default()).guarded(&Guard {
        requires_arming: true,
        ..Guard::default()
    });
    rig.period();
    rig
}

#[test]
fn chunks_are_checked_and_move_nothing() {
    let mut rig = guarded();
    assert_eq!(rig.mode(), ExecutionMode::Idle);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    rig.periods(60);
    assert_eq!(rig.q_rad, HOME_Q);
    let execution = rig.execution().unwrap();
    assert_eq!(
        (execution.refused_session, execution.refused_seq),
        (SESSION, 1)
    );
    // What would be wrong with one is known all the same.
    let mut bad = rig.chunk(2);
    bad.anchor.position_m[0] += 0.3;
    rig.on(ActuatorEvent::Chunk(bad));
    assert_eq!(rig.safety(), ["anchor_gap"]);
    rig.periods(60);
    assert_eq!(rig.q_rad, HOME_Q);
}

#[test]
fn once_armed_it_moves_until_something_stops_it_and_another_episode_does_not() {
    let mut rig = guarded();
    rig.on(ActuatorEvent::Arm);
    assert_eq!(rig.notices(), ["armed"]);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    rig.goes_on("armed");
    rig.episode = EpisodeId(5);
    rig.period();
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    rig.goes_on("in the next episode");
    rig.on(ActuatorEvent::Stop {
        reason: "test".to_owned(),
    });
    rig.periods(50);
    rig.on(ActuatorEvent::Arm);
    assert_eq!(rig.safety(), ["not_armed"]);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.mode(), ExecutionMode::Idle);
    rig.on(ActuatorEvent::Arm);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    rig.on(ActuatorEvent::Arm);
    assert_eq!(rig.notices(), ["armed"], "it was already");
}

#[test]
fn what_is_waited_for_is_said_once() {
    let mut rig = guarded();
    let mut codes = Vec::new();
    for _ in 0..200 {
        rig.period();
        codes.extend(rig.notices().iter().map(|code| (*code).to_owned()));
    }
    assert_eq!(codes, ["waiting"]);
    rig.on(ActuatorEvent::Arm);
    assert_eq!(rig.notices(), ["armed", "waiting_over"]);
}

#[test]
fn an_arm_that_nobody_has_seen_cannot_be_armed() {
    let mut actuator = Actuator::new(ActuatorConfig::default()).guarded(&Guard {
        requires_arming: true,
        ..Guard::default()
    });
    let mut effects = Vec::new();
    actuator.on(ActuatorEvent::Arm, 0, &mut effects);
    assert!(
        matches!(&effects[..], [ActuatorEffect::Safety(event)] if event.kind == "not_armed"),
        "{effects:?}"
    );
}

#[test]
fn an_order_is_in_the_next_execution_state() {
    let mut rig = Rig::started();
    rig.on(ActuatorEvent::Ordered(12));
    rig.period();
    assert_eq!(rig.execution().unwrap().order, 12);
}
