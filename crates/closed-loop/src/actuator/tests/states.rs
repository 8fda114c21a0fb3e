//! Measured states that cannot be used.

use super::*;

type SpoilState = fn(&mut ArmState);

/// Each is refused by itself, in motion: told, answered, and forgotten by the next.
#[test]
fn a_state_of_bad_numbers_is_refused_told_and_answered_and_the_next_good_one_is_taken() {
    let cases: [(&str, &str, SpoilState); 6] = [
        ("a joint", "state_refused", |s| s.q_rad[3] = f64::NAN),
        ("a velocity", "state_refused", |s| {
            s.dq_rad_s[0] = f64::INFINITY;
        }),
        ("the gripper", "state_refused", |s| {
            s.gripper_width_m = f64::NAN;
        }),
        ("the tool's place", "state_refused", |s| {
            s.tcp.position_m[1] = f64::NAN;
        }),
        ("the tool's turn", "state_refused", |s| {
            s.tcp.quaternion_wxyz = [0.0; 4];
        }),
        ("a joint that leaps", "reading_refused", |s| {
            s.q_rad[2] += 1.0;
        }),
    ];
    for (what, kind, spoil) in cases {
        let mut rig = Rig::moving();
        let before = rig.q_rad;
        let mut state = rig.state();
        spoil(&mut state);
        rig.measure(state.clone());
        assert_eq!(rig.safety(), [kind], "{what}");
        assert_eq!(rig.told(), None, "{what}: nobody else is to believe it");
        assert_eq!(rig.command().unwrap().stamp_ns, state.stamp_ns, "{what}");
        check_path(&before, &rig.setpoints());
        let answer = rig.effects.clone();
        rig.on(ActuatorEvent::Measured(state));
        let mut said = answer.clone();
        said.retain(|effect| !matches!(effect, ActuatorEffect::Safety(_)));
        assert_eq!(
            format!("{:?}", rig.effects),
            format!("{said:?}"),
            "{what}: the same again"
        );
        rig.goes_on(what);
    }
}

#[test]
fn a_state_of_another_time_is_refused_and_told_and_the_next_good_one_is_taken() {
    let cases: [(&str, SpoilState); 4] = [
        ("far ahead", |s| s.stamp_ns = 3_600 * SECOND_NS),
        ("the end of time", |s| s.stamp_ns = u64::MAX),
        ("behind", |s| s.stamp_ns = 0),
        ("an episode that is over", |s| s.episode = EpisodeId(3)),
    ];
    for (what, spoil) in cases {
        let mut rig = Rig::moving();
        let mut state = rig.state();
        spoil(&mut state);
        rig.on(ActuatorEvent::Measured(state));
        assert_eq!(rig.safety(), ["state_refused"], "{what}");
        assert_eq!((rig.command(), rig.told()), (None, None), "{what}");
        rig.goes_on(what);
    }
}

#[test]
fn without_a_reading_the_motion_goes_on_as_smoothly() {
    let mut rig = Rig::moving();
    let before = rig.setpoints();
    let mut state = rig.state();
    state.q_rad[3] = f64::NAN;
    rig.measure(state);
    let answer = rig.setpoints();
    check_smooth(&before, &answer);
    rig.period();
    check_smooth(&answer, &rig.setpoints());
}

#[test]
fn without_readings_it_stops_and_says_how_it_goes_on() {
    let mut rig = Rig::moving();
    let mut kinds = Vec::new();
    for _ in 0..100 {
        let mut state = rig.state();
        state.q_rad[0] = f64::NAN;
        let before = rig.q_rad;
        rig.measure(state);
        check_path(&before, &rig.setpoints());
        kinds.extend(rig.safety().into_iter().map(str::to_owned));
    }
    assert_eq!(rig.execution().unwrap().mode, ExecutionMode::Stopped);
    let lost = kinds.iter().filter(|kind| *kind == "reading_lost");
    assert_eq!(lost.count(), 1, "{kinds:?}");
    rig.periods(1);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.safety(), ["resumed"]);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
}

#[test]
fn an_arm_that_cannot_be_moved_is_held_and_told_until_it_can() {
    let mut rig = Rig::new();
    rig.q_rad[3] = 0.01;
    let state = rig.state();
    rig.on(ActuatorEvent::Measured(state.clone()));
    assert_eq!(rig.safety(), ["state_refused"]);
    assert_eq!(
        rig.setpoints(),
        vec![state.q_rad; SETPOINTS as usize],
        "where it says that it is"
    );
    // Where no arm can be, or says nothing: there is nothing to answer with.
    for bad in [f64::NAN, 9.0, 1e9] {
        let mut rig = Rig::new();
        rig.q_rad[3] = bad;
        rig.on(ActuatorEvent::Measured(rig.state()));
        assert_eq!((rig.safety(), rig.command()), (vec!["state_refused"], None));
        rig.q_rad = HOME_Q;
        rig.now_ns += PERIOD_NS;
        rig.period();
        assert!(rig.safety().is_empty(), "{:?}", rig.effects);
        assert_eq!(rig.setpoints().last(), Some(&HOME_Q));
    }
}

#[test]
fn a_clock_that_starts_anew_is_followed() {
    let mut rig = Rig::moving();
    rig.now_ns = 0;
    rig.on(ActuatorEvent::Measured(rig.state()));
    assert_eq!((rig.safety(), rig.command()), (vec!["state_refused"], None));
    // It asks again.
    rig.periods(80);
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    rig.on(ActuatorEvent::Chunk(rig.chunk(2)));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    assert_eq!(rig.mode(), ExecutionMode::Executing);
}
