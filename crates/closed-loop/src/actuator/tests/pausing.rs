//! A rest for a while, after which it goes on.

use super::*;

fn pause() -> ActuatorEvent {
    ActuatorEvent::Pause {
        reason: "somebody looks".to_owned(),
    }
}

#[test]
fn a_pause_brings_it_to_rest_smoothly_and_resume_lets_it_move_again() {
    let mut rig = Rig::moving();
    rig.on(pause());
    assert_eq!(rig.safety(), ["pause_requested"]);
    let before = rig.q_rad;
    rig.period();
    assert_eq!(rig.execution().unwrap().mode, ExecutionMode::Stopping);
    check_path(&before, &rig.setpoints());
    check_smooth(&[], &rig.setpoints());
    rig.periods(20);
    assert_eq!(rig.mode(), ExecutionMode::Paused);
    assert_eq!(rig.speed(), 0.0);
    let rested = rig.q_rad;
    rig.on(ActuatorEvent::Chunk(rig.chunk(2)));
    assert_eq!(rig.safety(), ["paused"]);
    rig.periods(500);
    assert_eq!(rig.q_rad, rested, "nothing new is executed, however long");
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.safety(), ["resumed"]);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    let ways = rig.q_rad.iter().zip(&rested).map(|(a, b)| (a - b).abs());
    let most = ways.fold(0.0, f64::max);
    assert!(most < 1e-9, "the chunk under way is given up: {most} rad");
    rig.on(ActuatorEvent::Chunk(rig.chunk(3)));
    rig.goes_on("after a pause");
}

#[test]
fn an_armed_arm_stays_armed_and_a_stop_is_more_than_a_pause() {
    let mut rig = Rig::new();
    rig.actuator = Actuator::new(ActuatorConfig::default()).guarded(&Guard {
        requires_arming: true,
        ..Guard::default()
    });
    rig.period();
    rig.on(ActuatorEvent::Arm);
    rig.on(pause());
    rig.periods(20);
    assert_eq!(rig.mode(), ExecutionMode::Paused);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    rig.on(pause());
    rig.periods(20);
    rig.on(ActuatorEvent::Stop {
        reason: "test".to_owned(),
    });
    assert_eq!(rig.mode(), ExecutionMode::Stopped);
    rig.on(pause());
    assert_eq!(rig.mode(), ExecutionMode::Stopped, "a stop stays");
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.mode(), ExecutionMode::Idle, "it took the arming away");
    rig.on(pause());
    rig.periods(20);
    assert_eq!(rig.mode(), ExecutionMode::Paused);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.mode(), ExecutionMode::Idle, "a pause gives none");
}

#[test]
fn a_pause_before_the_first_state_holds_even_in_another_episode_and_is_told() {
    let mut rig = Rig::new();
    rig.on(pause());
    rig.periods(5);
    assert_eq!(rig.execution().unwrap().mode, ExecutionMode::Paused);
    rig.episode = EpisodeId(5);
    rig.q_rad[0] = 1.0;
    let mut codes = Vec::new();
    for _ in 0..60 {
        rig.period();
        codes.extend(rig.notices().iter().map(|code| (*code).to_owned()));
    }
    assert_eq!(rig.mode(), ExecutionMode::Paused);
    assert!(codes.contains(&"waiting".to_owned()), "{codes:?}");
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
}

#[test]
fn resume_while_it_still_brakes_leaves_it_paused() {
    let mut rig = Rig::moving();
    rig.on(pause());
    rig.periods(1);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.safety(), ["not_resumed"]);
    rig.periods(50);
    assert_eq!(rig.mode(), ExecutionMode::Paused);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
}
