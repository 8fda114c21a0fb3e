//! Good and bad events in any order.

use proptest::prelude::*;
use tiller_core::Continuation;

use super::*;

/// What may come, good and bad.
#[derive(Debug, Clone)]
enum Coming {
    Good,
    Again,
    BadState { joint: usize, value: f64 },
    BadStamp(u64),
    OldEpisode,
    NextEpisode,
    Chunk { actions: Vec<f32>, joined: bool },
    BadChunk(u8),
    Stop,
    Resume,
    Finish,
}

fn coming() -> impl Strategy<Value = Coming> {
    let bad = prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(1e300),
        -4.0..4.0f64
    ];
    let stamp = prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), 0..20 * SECOND_NS];
    let number = prop_oneof![8 => -1.0..1.0f32, 1 => -1e3..1e3f32, 1 => Just(f32::MAX)];
    let actions = prop::collection::vec(prop_oneof![4 => -0.03..0.03f32, 1 => number], 8 * 4);
    prop_oneof![
        40 => Just(Coming::Good),
        3 => Just(Coming::Again),
        3 => (0..JOINTS, bad).prop_map(|(joint, value)| Coming::BadState { joint, value }),
        3 => stamp.prop_map(Coming::BadStamp),
        1 => Just(Coming::OldEpisode),
        1 => Just(Coming::NextEpisode),
        8 => (actions, any::<bool>()).prop_map(|(actions, joined)| Coming::Chunk { actions, joined }),
        3 => any::<u8>().prop_map(Coming::BadChunk),
        1 => Just(Coming::Stop),
        2 => Just(Coming::Resume),
        1 => Just(Coming::Finish),
    ]
}

fn event(coming: Coming, rig: &Rig, execution: &ExecutionState, seq: u64) -> ActuatorEvent {
    let state = rig.state();
    let chunk = ActionChunk {
        session: SESSION,
        seq,
        stamp_ns: rig.now_ns,
        episode: rig.episode,
        anchor: execution.anchor,
        anchor_q_rad: execution.anchor_q_rad,
        execute_steps: 8,
        horizon: 8,
        actions: vec![0.01; 32],
        layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
        ..Default::default()
    };
    match coming {
        Coming::Good => ActuatorEvent::Measured(state),
        Coming::Again => ActuatorEvent::Measured(ArmState {
            stamp_ns: rig.now_ns - PERIOD_NS,
            ..state
        }),
        Coming::BadState { joint, value } => {
            let mut bad = state;
            bad.q_rad[joint] = value;
            ActuatorEvent::Measured(bad)
        }
        Coming::BadStamp(stamp_ns) => ActuatorEvent::Measured(ArmState { stamp_ns, ..state }),
        Coming::OldEpisode => ActuatorEvent::Measured(ArmState {
            episode: EpisodeId(1),
            ..state
        }),
        Coming::NextEpisode => ActuatorEvent::Measured(ArmState {
            episode: EpisodeId(rig.episode.0 + 1),
            ..state
        }),
        Coming::Chunk { actions, joined } => ActuatorEvent::Chunk(ActionChunk {
            actions,
            continues: joined.then_some(Continuation {
                seq: execution.chunk_seq,
                step: execution.chunk_step,
                frozen_steps: 1,
            }),
            ..chunk
        }),
        Coming::BadChunk(which) => {
            let mut bad = chunk;
            match which % 5 {
                0 => bad.actions[3] = f32::NAN,
                1 => bad.session -= 1,
                2 => bad.episode = EpisodeId(1),
                3 => bad.stamp_ns = 0,
                _ => bad.anchor.position_m[0] += 1.0,
            }
            ActuatorEvent::Chunk(bad)
        }
        Coming::Stop => ActuatorEvent::Stop {
            reason: "a test".to_owned(),
        },
        Coming::Resume => ActuatorEvent::Resume,
        Coming::Finish => ActuatorEvent::Finish {
            reason: "a test".to_owned(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The arm stays in one scene: where a world puts it elsewhere, setpoints begin there.
    #[test]
    fn whatever_comes_every_setpoint_is_near_the_one_before(
        comings in prop::collection::vec(coming(), 1..160),
    ) {
        let mut rig = Rig::started();
        let mut execution = rig.execution().unwrap().clone();
        let mut last = rig.command().cloned();
        for (coming, seq) in comings.into_iter().zip(1..) {
            let is_next = matches!(coming, Coming::NextEpisode);
            let event = event(coming, &rig, &execution, seq);
            rig.on(event);
            if is_next {
                rig.episode = EpisodeId(rig.episode.0 + 1);
            }
            if let Some(found) = rig.execution() {
                execution = found.clone();
            }
            prop_assert!(rig.told().is_none() || rig.command().is_some());
            let command = rig.command().cloned();
            // The same answer again is no further motion.
            if command.is_some() && command != last {
                let setpoints = rig.setpoints();
                check_path(&rig.q_rad, &setpoints);
                prop_assert!(setpoints.iter().flatten().all(|q| q.is_finite()));
                rig.q_rad = setpoints[setpoints.len() - 1];
                rig.now_ns += PERIOD_NS;
                last = command;
            }
            rig.effects.clear();
        }
    }
}
