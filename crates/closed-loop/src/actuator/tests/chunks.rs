//! Chunks that are not for this moment.

use tiller_core::Continuation;

use super::*;

/// What is wrong with a chunk is a word in a safety event, and its number is in the execution state.
#[test]
fn a_chunk_that_is_not_for_this_moment_is_refused_by_name() {
    type Spoil = fn(&mut ActionChunk);
    let cases: [(&str, Spoil); 11] = [
        ("other_episode", |c| c.episode = EpisodeId(3)),
        ("other_episode", |c| c.episode = EpisodeId(5)),
        ("out_of_order", |c| c.session -= 1),
        ("out_of_order", |c| c.seq = 1),
        ("stale", |c| c.stamp_ns -= 2 * SECOND_NS),
        ("from_future", |c| c.stamp_ns += SECOND_NS),
        ("not_finite", |c| c.actions[5] = f32::NAN),
        ("not_finite", |c| c.anchor.position_m[0] = f64::NAN),
        ("malformed", |c| c.execute_steps = 9),
        ("anchor_gap", |c| c.anchor.position_m[1] += 0.3),
        ("not_continuing", |c| {
            c.continues = Some(Continuation {
                seq: 77,
                step: 1,
                frozen_steps: 1,
            });
        }),
    ];
    for (kind, spoil) in cases {
        let mut rig = Rig::moving();
        let mut chunk = rig.chunk(2);
        spoil(&mut chunk);
        let (session, seq) = (chunk.session, chunk.seq);
        rig.on(ActuatorEvent::Chunk(chunk));
        assert_eq!(rig.safety(), [kind]);
        rig.periods(1);
        let execution = rig.execution().unwrap();
        assert_eq!(
            (execution.refused_session, execution.refused_seq),
            (session, seq),
            "{kind}"
        );
        assert_eq!(
            (execution.chunk_session, execution.chunk_seq),
            (SESSION, 1),
            "{kind}: the one under way goes on"
        );
        assert_eq!(execution.mode, ExecutionMode::Executing, "{kind}");
        rig.periods(60);
        rig.on(ActuatorEvent::Chunk(rig.chunk(3)));
        assert!(rig.safety().is_empty(), "{kind}: {:?}", rig.effects);
    }
}

#[test]
fn a_chunk_before_the_first_state_is_refused() {
    let mut rig = Rig::started();
    let chunk = rig.chunk(1);
    rig.actuator = Actuator::new(ActuatorConfig::default());
    rig.on(ActuatorEvent::Chunk(chunk));
    assert_eq!(rig.safety(), ["not_accepting"]);
    let about = |effect: &ActuatorEffect| matches!(effect, ActuatorEffect::Safety(event) if event.chunk_seq == Some(1));
    assert!(rig.effects.iter().any(about));
    rig.period();
    let execution = rig.execution().unwrap();
    assert_eq!(
        (execution.refused_session, execution.refused_seq),
        (SESSION, 1)
    );
}

#[test]
fn what_is_absurd_is_clamped_and_told() {
    let mut rig = Rig::started();
    let mut chunk = rig.chunk(1);
    chunk.actions = [1e30, -1e30, 1e30, 5.0].repeat(8);
    rig.on(ActuatorEvent::Chunk(chunk));
    let kinds = rig.safety();
    for kind in ["step_too_large", "outside_workspace", "gripper_range"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    // With its numbers, for whoever reads them rather than the text.
    let opening = rig.effects.iter().find_map(|effect| match effect {
        ActuatorEffect::Safety(event) if event.kind == "gripper_range" => Some(event),
        _ => None,
    });
    let opening = opening.unwrap();
    assert_eq!((opening.chunk_seq, opening.step), (Some(1), Some(0)));
    assert_eq!(opening.quantity.as_deref(), Some("opening"));
    assert_eq!(opening.limit, Some(1.0));
    assert!(opening.value > Some(1.0), "{opening:?}");
    rig.periods(100);
}

#[test]
fn a_sampler_that_starts_anew_counts_anew() {
    let mut rig = Rig::moving();
    let mut bad = ActionChunk {
        session: SESSION + 1,
        ..rig.chunk(1)
    };
    bad.actions[0] = f32::NAN;
    rig.on(ActuatorEvent::Chunk(bad));
    rig.periods(60);
    let execution = rig.execution().unwrap();
    assert_eq!(
        (execution.chunk_session, execution.chunk_seq),
        (SESSION, 1),
        "a refused chunk is not under way"
    );
    assert_eq!(
        (execution.refused_session, execution.refused_seq),
        (SESSION + 1, 1)
    );
    let good = ActionChunk {
        session: SESSION + 1,
        ..rig.chunk(1)
    };
    rig.on(ActuatorEvent::Chunk(good));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    rig.periods(1);
    let execution = rig.execution().unwrap();
    assert_eq!(
        (execution.chunk_session, execution.chunk_seq),
        (SESSION + 1, 1)
    );
}
