//! Every message survives Arrow, and what is no such message is refused by name.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, StructArray, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field};
use proptest::collection::vec;
use proptest::prelude::*;
use tiller_messages::*;

fn survives<M: Message + PartialEq + Debug>(message: &M) -> Result<(), TestCaseError> {
    let array = message.to_arrow();
    prop_assert_eq!(array.len(), 1);
    prop_assert_eq!(array.fields(), &M::fields());
    let back = M::from_arrow(&array);
    prop_assert_eq!(back.as_ref(), Ok(message));
    Ok(())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e3..1e3,
        Just(0.0),
        Just(f64::INFINITY),
        Just(f64::MIN_POSITIVE)
    ]
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Zäö 0-9=\n\"]{0,24}"
}

prop_compose! {
    fn robot_state()(
        seq: u64, stamp_ns: u64, q in prop::array::uniform7(number()),
        dq in prop::array::uniform7(number()), tcp in prop::array::uniform3(number()),
        quaternion in prop::array::uniform4(number()), width in number(),
        anchor in prop::array::uniform3(number()), chunk_seq: u64, chunk_step: u32, holding: bool,
    ) -> RobotState {
        RobotState {
            seq, stamp_ns, q_rad: q, dq_rad_s: dq, tcp_position_m: tcp,
            tcp_quaternion_wxyz: quaternion, gripper_width_m: width, anchor_position_m: anchor,
            chunk_seq, chunk_step, holding,
        }
    }
}

prop_compose! {
    fn action_chunk()(horizon in 1_u32..20, action_dim in 4_u32..9)(
        actions in vec(-1e3_f32..1e3, (horizon * action_dim) as usize),
        execute_steps in 1..=horizon, horizon in Just(horizon), action_dim in Just(action_dim),
        seq in any::<u64>(), stamp_ns in any::<u64>(), stage in any::<u32>(), anchor in prop::array::uniform3(number()),
        rate_hz in number(), gripper_column in prop::option::of(0..action_dim), delta in any::<bool>(),
    ) -> ActionChunk {
        ActionChunk {
            seq, stamp_ns, stage, anchor_position_m: anchor, rate_hz, execute_steps, horizon,
            action_dim, actions, position_columns: [0, 1, 2], gripper_column, delta,
            continues_seq: seq / 2, continues_step: horizon, frozen_steps: execute_steps - 1,
        }
    }
}

prop_compose! {
    fn keypoints()(names in vec(text(), 0..8))(
        xyz_m in vec(number(), names.len() * 3), visible in vec(any::<bool>(), names.len()),
        names in Just(names), seq in any::<u64>(), stamp_ns in any::<u64>(), generation in any::<u32>(),
    ) -> Keypoints {
        Keypoints { seq, stamp_ns, generation, names, xyz_m, visible }
    }
}

prop_compose! {
    fn reward_program()(stages in 1_usize..5)(
        descriptions in vec(text(), stages), has_done in vec(any::<bool>(), stages),
        unguided in vec(any::<bool>(), stages), seq in any::<u64>(), generation in any::<u32>(), instruction in text(),
        text_ in text(), source in text(),
    ) -> RewardProgram {
        RewardProgram {
            seq, generation, instruction, num_stages: descriptions.len() as u32, text: text_,
            source, descriptions, has_done, unguided,
        }
    }
}

proptest! {
    #[test]
    fn robot_states(m in robot_state()) { survives(&m)?; }

    #[test]
    fn arm_commands(s in robot_state(), rows in 1_usize..25) {
        survives(&ArmCommand {
            seq: s.seq, stamp_ns: s.stamp_ns, q_rad: s.q_rad.repeat(rows),
            gripper_width_m: s.gripper_width_m, anchor_position_m: s.anchor_position_m,
            chunk_seq: s.chunk_seq, chunk_step: s.chunk_step, holding: s.holding,
        })?;
    }

    #[test]
    fn action_chunks(m in action_chunk()) {
        prop_assert_eq!(m.rows().len(), m.horizon as usize);
        survives(&m)?;
    }

    #[test]
    fn candidates(seq: u64, particles in 1_u32..6, points in 1_u32..9, rewarded: bool) {
        let count = (particles * points * 3) as usize;
        survives(&Candidates {
            seq, stamp_ns: seq / 3, chunk_seq: seq / 2, particles, points,
            xyz_m: (0..count).map(|i| i as f32).collect(),
            rewards: if rewarded { vec![-0.5; particles as usize] } else { Vec::new() },
            selected: particles - 1,
        })?;
    }

    #[test]
    fn keypoint_sets(m in keypoints()) {
        prop_assert_eq!(m.points().len(), m.names.len());
        survives(&m)?;
    }

    #[test]
    fn reward_programs(m in reward_program()) { survives(&m)?; }

    #[test]
    fn statuses(seq: u64, node in text(), code in text(), text in text(), level in 0_usize..3) {
        survives(&Status { seq, node, level: Level::ALL[level], code, text })?;
    }

    #[test]
    fn stages(seq: u64, stage: u32, visit: u32, guidance: bool, finished: bool, reason in text()) {
        let generation = stage / 2;
        survives(&StageQuery { seq, stage, visit, reason: reason.clone() })?;
        survives(&StageAdvice { seq, stage, visit, reason: reason.clone() })?;
        survives(&StageCommand {
            seq, stamp_ns: seq / 2, generation, stage, visit, guidance, finished,
            gave_up: !finished, kind: "back".into(), reason,
        })?;
    }

    #[test]
    fn progress(seq: u64, stage: u32, planned in number(), done in prop::option::of(number())) {
        survives(&Progress {
            seq, stage, visit: 1, stamp_ns: seq / 7, planned, achieved: -planned, done,
            guidance_strength: 0.5, reward: planned, ess: 20.0,
        })?;
    }

    #[test]
    fn runs(seq: u64, stamp_ns: u64, text in text(), completed in vec(text(), 0..4), b: bool) {
        survives(&SafetyEvent { seq, stamp_ns, kind: text.clone(), text: text.clone() })?;
        survives(&TaskStatus {
            seq, stamp_ns, task: text.clone(), success: b, completed, episode_over: !b,
            reason: text,
        })?;
    }
}

/// `message` with one column replaced (or, for `None`, left out).
fn with_column(message: &StructArray, name: &str, array: Option<ArrayRef>) -> StructArray {
    let columns: Vec<_> = message
        .fields()
        .iter()
        .zip(message.columns())
        .filter_map(|(field, column)| {
            if field.name() != name {
                return Some((field.clone(), column.clone()));
            }
            let array = array.clone()?;
            Some((
                Arc::new(Field::new(name, array.data_type().clone(), true)),
                array,
            ))
        })
        .collect();
    StructArray::from(columns)
}

fn progress_message() -> StructArray {
    Progress {
        seq: 1,
        stage: 1,
        done: Some(0.5),
        ..Default::default()
    }
    .to_arrow()
}

#[test]
fn another_schema_version_is_refused_with_both_versions() {
    let newer: ArrayRef = Arc::new(UInt32Array::from(vec![SCHEMA_VERSION + 1]));
    let array = with_column(&progress_message(), "schema_version", Some(newer));
    let error = Progress::from_arrow(&array).unwrap_err();
    assert_eq!(
        error,
        MessageError::SchemaVersion {
            message: "Progress",
            expected: SCHEMA_VERSION,
            found: SCHEMA_VERSION + 1
        }
    );
    let text = error.to_string();
    assert!(
        text.contains("Progress: expected schema version 1, found 2"),
        "{text}"
    );
}

#[test]
fn a_missing_column_is_named() {
    let array = with_column(&progress_message(), "visit", None);
    let error = Progress::from_arrow(&array).unwrap_err();
    assert_eq!(
        error,
        MessageError::MissingColumn {
            message: "Progress",
            column: "visit"
        }
    );
}

#[test]
fn a_column_of_another_type_is_named_with_both_types() {
    let wrong: ArrayRef = Arc::new(Float32Array::from(vec![1.0]));
    let array = with_column(&progress_message(), "planned", Some(wrong));
    let error = Progress::from_arrow(&array).unwrap_err().to_string();
    assert_eq!(error, "Progress.planned: expected Float64, found Float32");
}

#[test]
fn a_null_is_refused_where_a_value_is_due() {
    let null: ArrayRef = Arc::new(UInt64Array::from(vec![None::<u64>]));
    let array = with_column(&progress_message(), "seq", Some(null));
    let error = Progress::from_arrow(&array).unwrap_err().to_string();
    assert_eq!(error, "Progress.seq: expected UInt64, found null");
}

#[test]
fn two_rows_and_other_arrays_are_refused() {
    let one = progress_message();
    let two = arrow::compute::concat(&[&one, &one]).unwrap();
    let rows = MessageError::Rows {
        message: "Progress",
        found: 2,
    };
    assert_eq!(Progress::from_arrow(two.as_ref()).unwrap_err(), rows);
    let flat = UInt32Array::from(vec![1]);
    let error = Progress::from_arrow(&flat).unwrap_err();
    assert!(matches!(error, MessageError::NotAStruct { .. }), "{error}");
}

#[test]
fn further_columns_are_ignored() {
    let message = progress_message();
    let mut columns: Vec<_> = message
        .fields()
        .iter()
        .cloned()
        .zip(message.columns().iter().cloned())
        .collect();
    let extra: ArrayRef = Arc::new(UInt32Array::from(vec![1]));
    columns.push((
        Arc::new(Field::new("extra", DataType::UInt32, false)),
        extra,
    ));
    assert!(Progress::from_arrow(&StructArray::from(columns)).is_ok());
}

#[test]
fn a_joint_vector_of_six_is_refused() {
    let state = RobotState::default().to_arrow();
    let six = Keypoints {
        xyz_m: vec![0.0; 6],
        ..Default::default()
    }
    .to_arrow();
    let six = six.column_by_name("xyz_m").unwrap().clone();
    let error = RobotState::from_arrow(&with_column(&state, "q_rad", Some(six))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "RobotState.q_rad: expected 7 numbers, found 6"
    );
}

#[test]
fn contradictory_lengths_are_refused() {
    let keypoints = Keypoints {
        names: vec!["button".into()],
        xyz_m: vec![0.0; 6],
        visible: vec![true],
        ..Default::default()
    };
    let error = Keypoints::from_arrow(&keypoints.to_arrow())
        .unwrap_err()
        .to_string();
    assert_eq!(error, "Keypoints.xyz_m: expected 3 items, found 6");

    let chunk = ActionChunk {
        horizon: 2,
        action_dim: 4,
        actions: vec![0.0; 8],
        execute_steps: 3,
        ..Default::default()
    };
    let error = ActionChunk::from_arrow(&chunk.to_arrow())
        .unwrap_err()
        .to_string();
    assert_eq!(error, "ActionChunk.execute_steps: expected 1 to 2, found 3");

    let chunk = ActionChunk {
        execute_steps: 1,
        gripper_column: Some(4),
        ..chunk
    };
    assert!(ActionChunk::from_arrow(&chunk.to_arrow()).is_err());

    let chunk = ActionChunk {
        gripper_column: None,
        frozen_steps: 1,
        ..chunk
    };
    let error = ActionChunk::from_arrow(&chunk.to_arrow())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "ActionChunk.frozen_steps: expected below execute_steps = 1, found 1"
    );

    let command = ArmCommand {
        q_rad: vec![0.0; 8],
        ..Default::default()
    };
    assert!(ArmCommand::from_arrow(&command.to_arrow()).is_err());

    let candidates = Candidates {
        particles: 1,
        points: 1,
        xyz_m: vec![0.0; 3],
        selected: 1,
        ..Default::default()
    };
    assert!(Candidates::from_arrow(&candidates.to_arrow()).is_err());
}

#[test]
fn every_schema_starts_with_its_version_and_has_a_name_of_its_own() {
    let schemas = schemas();
    let mut names: Vec<_> = schemas.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), schemas.len());
    for (name, fields) in &schemas {
        assert_eq!(fields[0].name(), "schema_version", "{name}");
    }
}
