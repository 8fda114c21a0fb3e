//! Whatever a chunk holds, the setpoints keep the limits; what is refused is refused with a reason.

#![allow(clippy::unwrap_used)] // Helpers of tests count as plain functions.

mod common;

use common::{MS, Rig, row, usage};
use proptest::prelude::*;
use tiller_core::Continuation;
use tiller_motion::{
    Actuator, ActuatorConfig, ActuatorError, ArmReading, Chunk, Limits, Mode, OnViolation,
    Orientation, SafetyKind,
};

/// Ordinary sizes mostly, absurd ones and numbers that are none now and then.
fn number(size: f64) -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => -size..size,
        2 => prop::sample::select(vec![0.0, -0.0, 5.0 * size, -5.0 * size, 1e-300]),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -f64::MAX]),
    ]
}

#[derive(Debug, Clone)]
struct Attack {
    deltas: Vec<[f64; 3]>,
    gripper: f64,
    anchor_offset: [f64; 3],
    rate_hz: f64,
    wait_ticks: usize,
    stop: bool,
    /// Step and frozen steps with which the chunk carries the last one on.
    continues: Option<(u32, u32)>,
}

prop_compose! {
    fn attack()(
        deltas in prop::collection::vec(prop::array::uniform3(number(0.04)), 1..9),
        gripper in number(1.5),
        anchor_offset in prop::array::uniform3(number(0.08)),
        offset in 0..3,
        rate_hz in prop_oneof![6 => Just(10.0), 1 => number(120.0)],
        wait_ticks in 1usize..700,
        stop in prop::bool::weighted(0.05),
        continues in prop::option::of((0u32..9, 0u32..9)),
    ) -> Attack {
        let anchor_offset = if offset == 0 { anchor_offset } else { [0.0; 3] };
        Attack { deltas, gripper, anchor_offset, rate_hz, wait_ticks, stop, continues }
    }
}

/// Executes the attacks and holds what the arm is sent to the limits.
fn endure(config: ActuatorConfig, attacks: &[Attack]) -> Result<(), TestCaseError> {
    let mut rig = Rig::new(config);
    for attack in attacks {
        let mut chunk = rig.chunk(&attack.deltas);
        chunk.layout.rate_hz = attack.rate_hz;
        for axis in 0..3 {
            chunk.anchor.position_m[axis] += attack.anchor_offset[axis];
        }
        row(&mut chunk, 0)[3] = attack.gripper;
        chunk.continues = attack.continues.map(|(step, frozen_steps)| Continuation {
            seq: rig.actuator.status().chunk_seq,
            step,
            frozen_steps,
        });
        let sick = chunk.actions.iter().any(|value| !value.is_finite());
        let accepted = rig.actuator.accept(&chunk, rig.now_ns);
        prop_assert!(!(sick && accepted.is_ok()));
        rig.run(attack.wait_ticks);
        if attack.stop {
            rig.actuator.stop("test", rig.now_ns);
            rig.run(400);
            prop_assert_eq!(rig.actuator.status().mode, Mode::Stopped);
            rig.actuator.resume(rig.now_ns).unwrap();
        }
    }
    // A wild zigzag is stretched several times over; then comes rest.
    let mut left = 20;
    while rig.actuator.status().mode == Mode::Executing && left > 0 {
        rig.run(500);
        left -= 1;
    }
    rig.run(800);
    prop_assert!(
        *rig.speeds().last().unwrap() < 1e-3,
        "{:?}",
        rig.speeds().last()
    );

    let used = usage(&config.limits, &rig.stream);
    prop_assert!(used.is_within(&config.limits), "{:?}", used);
    let workspace = config.limits.workspace;
    for point in rig.path() {
        for axis in 0..3 {
            prop_assert!(
                point[axis] > workspace.bounds.min_m[axis] - 0.005,
                "{point:?}"
            );
            prop_assert!(
                point[axis] < workspace.bounds.max_m[axis] + 0.005,
                "{point:?}"
            );
        }
    }
    for setpoint in &rig.stream {
        prop_assert!((0.0..=0.08).contains(&setpoint.gripper_width_m));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_chunks_breaks_a_limit(
        attacks in prop::collection::vec(attack(), 1..14),
        fr3 in any::<bool>(),
        clamp_anchor in any::<bool>(),
    ) {
        let config = ActuatorConfig {
            limits: if fr3 { Limits::fr3() } else { Limits::panda() },
            on_anchor: if clamp_anchor { OnViolation::Clamp } else { OnViolation::Refuse },
            ..ActuatorConfig::default()
        };
        endure(config, &attacks)?;
    }
}

fn good(rig: &mut Rig) -> Chunk {
    rig.chunk(&[[0.01, 0.0, 0.0]; 2])
}

fn refusal(change: impl FnOnce(&mut Chunk)) -> (SafetyKind, String) {
    refusal_with(ActuatorConfig::default(), change)
}

fn refusal_with(config: ActuatorConfig, change: impl FnOnce(&mut Chunk)) -> (SafetyKind, String) {
    let mut rig = Rig::new(config);
    rig.seq = 4;
    let first = good(&mut rig);
    rig.actuator.accept(&first, 0).unwrap();
    rig.now_ns = 3000 * MS;
    rig.run(1);
    rig.actuator.drain_events();
    let mut chunk = good(&mut rig);
    change(&mut chunk);
    let refused = rig.actuator.accept(&chunk, rig.now_ns).unwrap_err();
    let events = rig.actuator.drain_events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].kind, events[0].stamp_ns),
        (refused.kind, rig.now_ns)
    );
    assert!(events[0].text.contains(&refused.text));
    assert_eq!(
        rig.actuator.status().chunk_seq,
        first.seq,
        "the motion under way goes on"
    );
    (refused.kind, refused.text)
}

#[test]
fn every_fault_of_a_chunk_has_its_own_refusal() {
    use SafetyKind::{AnchorGap, FromFuture, Malformed, NotFinite, OutOfOrder, Stale};
    let kind = |change: fn(&mut Chunk)| refusal(change).0;
    assert_eq!(kind(|c| row(c, 1)[2] = f64::NAN), NotFinite);
    assert_eq!(kind(|c| row(c, 1)[3] = f64::INFINITY), NotFinite);
    assert_eq!(kind(|c| c.anchor.position_m[0] = f64::NAN), NotFinite);
    assert_eq!(kind(|c| c.layout.rate_hz = f64::NAN), NotFinite);
    assert_eq!(kind(|c| c.layout.rate_hz = 0.0), Malformed);
    assert_eq!(kind(|c| c.layout.rate_hz = -10.0), Malformed);
    assert_eq!(kind(|c| c.execute_steps = 3), Malformed);
    assert_eq!(kind(|c| c.execute_steps = 0), Malformed);
    assert_eq!(kind(|c| c.seq = 5), OutOfOrder);
    assert_eq!(kind(|c| c.stamp_ns = 0), Stale);
    assert_eq!(kind(|c| c.stamp_ns += 60 * MS), FromFuture);
    assert_eq!(kind(|c| c.anchor.position_m[1] += 0.2), AnchorGap);
    // Steps beyond the executed ones count too: a plan with a NaN anywhere is sick.
    assert_eq!(
        kind(|c| c.actions.extend([f64::NAN, f64::NAN, f64::NAN, 0.0])),
        NotFinite
    );
}

#[test]
fn refusals_say_what_was_expected_and_found() {
    let (_, text) = refusal(|chunk| chunk.seq = 5);
    assert_eq!(text, "expected a sequence number above 5, found 5");
    let (_, text) = refusal(|chunk| chunk.stamp_ns = 1001 * MS);
    assert_eq!(
        text,
        "expected an observation with an age of at most 1000 ms, found 2000 ms"
    );
}

#[test]
fn steps_and_workspace_are_refused_or_clamped_as_configured() {
    let refuse = ActuatorConfig {
        on_step: OnViolation::Refuse,
        on_workspace: OnViolation::Refuse,
        ..ActuatorConfig::default()
    };
    let long = |chunk: &mut Chunk| row(chunk, 0)[1] = 0.2;
    assert_eq!(refusal_with(refuse, long).0, SafetyKind::StepTooLarge);
    let out = |chunk: &mut Chunk| {
        chunk.actions = [0.0, 0.05, 0.0, 0.0].repeat(13);
        chunk.execute_steps = 13;
    };
    assert_eq!(refusal_with(refuse, out).0, SafetyKind::OutsideWorkspace);

    let mut rig = Rig::new(ActuatorConfig::default());
    let start = rig.tcp();
    let mut chunk = good(&mut rig);
    long(&mut chunk);
    chunk.execute_steps = 1;
    row(&mut chunk, 0)[0] = 0.0;
    rig.actuator.accept(&chunk, 0).unwrap();
    rig.run(500);
    assert!((rig.tcp()[1] - start[1] - Limits::panda().max_step_m).abs() < 1e-4);
    let mut chunk = good(&mut rig);
    out(&mut chunk);
    rig.actuator.accept(&chunk, rig.now_ns).unwrap();
    rig.run(4000);
    assert!(
        Limits::panda().workspace.excess_m(rig.tcp()) < 1e-3,
        "{:?}",
        rig.tcp()
    );
    assert_eq!(rig.kinds(), ["step_too_large", "outside_workspace"]);
}

#[test]
fn a_restarted_sampler_may_count_anew_when_told() {
    let mut rig = Rig::new(ActuatorConfig::default());
    rig.seq = 100;
    rig.send(&[[0.0; 3]]).unwrap();
    rig.seq = 0;
    assert_eq!(
        rig.send(&[[0.0; 3]]).unwrap_err().kind,
        SafetyKind::OutOfOrder
    );
    rig.actuator.forget_sequence();
    rig.send(&[[0.0; 3]]).unwrap();
}

#[test]
fn the_checks_cannot_be_configured_away() {
    let mut config = ActuatorConfig::default();
    config.limits.joint.velocity_rad_s[1] = 100.0;
    config.limits.joint.position_max_rad[3] = 1.0;
    config.limits.max_step_m = f64::INFINITY;
    config.limits.operating.acceleration = f64::NAN;
    config.max_chunk_age_ns = u64::MAX;
    config.max_tracking_error_m = 0.0;
    let reading = ArmReading::at_rest(tiller_motion::kinematics::HOME_Q, 0.0);
    let Err(ActuatorError::Config(problems)) = Actuator::new(config, &reading, 0) else {
        panic!("accepted");
    };
    assert_eq!(problems.found.len(), 6, "{problems}");
}

#[test]
fn an_actuator_starts_only_from_a_sane_posture() {
    let config = ActuatorConfig::default();
    let start = |q: [f64; 7]| Actuator::new(config, &ArmReading::at_rest(q, 0.0), 0);
    assert!(matches!(
        start([f64::NAN; 7]),
        Err(ActuatorError::Reading(_))
    ));
    assert!(matches!(start([3.0; 7]), Err(ActuatorError::Reading(_))));
    // A tilted hand is no reason not to start; to turn it down unasked would not be safe.
    let sideways = ArmReading::at_rest([0.0, 0.0, 0.0, -1.9, 0.0, 3.4, 0.785], 0.0);
    for (orientation, kind) in [
        (Orientation::StraightDown, Some(SafetyKind::Tilted)),
        (Orientation::Hold, None),
    ] {
        let config = ActuatorConfig {
            orientation,
            ..config
        };
        let mut rig = Rig::new(config);
        rig.actuator = Actuator::new(config, &sideways, 0).unwrap();
        let answer = rig.send(&[[0.0; 3]]);
        assert_eq!(answer.err().map(|refusal| refusal.kind), kind);
    }
}

/// Found once among random ones: where joints met their limits one by one, the TCP accelerated by half
/// a per cent more than 13 m/s2. They brake together now.
#[test]
fn a_short_jerk_amid_distant_anchors_keeps_the_limits() {
    endure(ActuatorConfig::default(), &anchors_and_zigzags()).unwrap();
}

#[rustfmt::skip]
fn anchors_and_zigzags() -> Vec<Attack> {
    vec![
        Attack { deltas: vec![ [ 0.0, 0.0, 1e-300, ], ], gripper: 0.0, anchor_offset: [
        -0.06768364907869222, 0.0, 0.01754707881796988, ], rate_hz: 10.0, wait_ticks: 56, stop:
        false, continues: None, }, Attack { deltas: vec![ [ 0.0, 0.0, -0.036599009196814594, ],
        [ 0.034111521925809865, 0.0, 0.0, ], ], gripper: 0.0, anchor_offset: [
        0.06136365074086767, 0.0, 0.03382671109878757, ], rate_hz: 72.6784274287559, wait_ticks:
        476, stop: false, continues: None, }, Attack { deltas: vec![ [ 0.03796028626773683,
        -0.01875472728757073, 0.007019419602008572, ], [ 0.0, 0.0, 0.0, ], [ 0.0,
        -0.030941790400347523, 0.0, ], [ 0.035051484908250025, 0.0, 0.0, ], [
        0.038961774657273206, 0.0, 0.0, ], [ 0.0, -0.007256841216278977, 0.01075082959669505, ],
        [ -0.03839406206831042, -0.03411021945871384, 0.014833971457623482, ], [ 0.0, 0.0, 0.0,
        ], ], gripper: 0.0, anchor_offset: [ 0.0, 0.0, 0.0, ], rate_hz: 10.0, wait_ticks: 325,
        stop: false, continues: None, }, Attack { deltas: vec![ [ 0.0, 0.0, 0.0, ], ], gripper:
        0.0, anchor_offset: [ 0.0, 0.0, 0.0, ], rate_hz: 10.0, wait_ticks: 62, stop: false,
        continues: Some( ( 0, 0, ), ), }, Attack { deltas: vec![ [ -0.02562166028847755,
        0.00479159592569721, 0.035998490425303425, ], [ -0.029908114568497467,
        0.02356394933013179, 0.029958216560757183, ], [ 0.013630024946671156,
        -0.028239986466872268, -0.2, ], [ 0.025558367777034068, -0.0009367039055302498,
        -0.034358991010367324, ], [ 0.005426765591990763, -0.023201475166063027,
        0.0005000546768966697, ], ], gripper: -1.130425149555001, anchor_offset: [ 0.0, 0.0,
        0.0, ], rate_hz: 10.0, wait_ticks: 218, stop: false, continues: Some( ( 4, 4, ), ), },
        Attack { deltas: vec![ [ -0.0112681647131717, 1e300, -0.01184316563286278, ], [
        0.012451400054149058, -0.2, 0.02659161903072975, ], ], gripper: -1.2598923637123418,
        anchor_offset: [ 0.00492190780863634, 0.01206220431849952, -0.06054665960740225, ],
        rate_hz: 10.0, wait_ticks: 522, stop: false, continues: Some( ( 2, 3, ), ), },
    ]
}
