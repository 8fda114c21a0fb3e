//! What is no such message is refused by name, with what was expected and what was found.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, NullArray, StringArray,
    StructArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field};
use tiller_core::{ActionMode, Continuation, RotationKind};
use tiller_messages::*;

use crate::reading::list_of;
use crate::strategies::layout_of;
use crate::{Kind, kinds, with_column};

#[test]
fn another_schema_version_is_refused_with_both_versions() {
    for kind in kinds() {
        let newer: ArrayRef = Arc::new(UInt32Array::from(vec![SCHEMA_VERSION + 1]));
        let array = with_column(&kind.sample, "schema_version", Some(newer));
        let error = (kind.read)(&array).unwrap_err();
        let expected = MessageError::SchemaVersion {
            message: kind.name,
            expected: SCHEMA_VERSION,
            found: SCHEMA_VERSION + 1,
        };
        assert_eq!(error, expected);
        let text = error.to_string();
        let told = format!(
            "{}: expected schema version {SCHEMA_VERSION}, found {}",
            kind.name,
            SCHEMA_VERSION + 1
        );
        assert!(text.contains(&told), "{text}");
    }
}

#[test]
fn a_missing_column_is_named_whichever_it_is() {
    for kind in kinds() {
        for field in kind.sample.fields() {
            let array = with_column(&kind.sample, field.name(), None);
            let error = (kind.read)(&array).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "{}: expected a column `{}`, found none",
                    kind.name,
                    field.name()
                )
            );
        }
    }
}

#[test]
fn texts_of_any_length_are_cut_and_names_of_any_length_refused() {
    let long = "\u{202e}very ".repeat(100_000);
    let told = Status {
        text: long.clone(),
        ..Default::default()
    };
    let read = Status::from_arrow(&told.to_arrow()).unwrap();
    assert_eq!(read.text.chars().count(), tiller_core::MAX_STATUS + 1);
    let begun = Episode {
        instruction: long.clone(),
        ..Default::default()
    };
    let read = Episode::from_arrow(&begun.to_arrow()).unwrap();
    assert_eq!(
        read.instruction.chars().count(),
        tiller_core::MAX_INSTRUCTION + 1
    );
    let judged = TaskStatus {
        collateral: vec![String::new(), long.clone()],
        ..Default::default()
    };
    let read = TaskStatus::from_arrow(&judged.to_arrow()).unwrap();
    assert_eq!(
        read.collateral[1].chars().count(),
        tiller_core::MAX_DESCRIPTION + 1
    );
    let seen = Keypoints {
        names: vec!["handle".to_owned(), long],
        xyz_m: vec![0.5; 6],
        visible: vec![true; 2],
        ..Default::default()
    };
    let error = Keypoints::from_arrow(&seen.to_arrow())
        .unwrap_err()
        .to_string();
    let expected = r"Keypoints.names: expected at most 100 characters, found `\u{202e}very ";
    assert!(error.starts_with(expected) && error.len() < 200, "{error}");
}

/// What a column of this type cannot be.
fn of_another_type(data_type: &DataType) -> ArrayRef {
    match data_type {
        DataType::Utf8 => Arc::new(Float64Array::from(vec![0.5])),
        DataType::Boolean => Arc::new(UInt32Array::from(vec![1])),
        DataType::LargeList(item) => list_of(match item.data_type() {
            DataType::Utf8 => Arc::new(Float64Array::from(vec![0.5])),
            DataType::Boolean => Arc::new(UInt32Array::from(vec![1])),
            _ => Arc::new(StringArray::from(vec!["0.5"])),
        }),
        _ => Arc::new(StringArray::from(vec!["0.5"])),
    }
}

#[test]
fn a_column_of_another_type_is_named_with_both_types_whichever_it_is() {
    for kind in kinds() {
        for field in kind.sample.fields() {
            let wrong = of_another_type(field.data_type());
            let found = wrong.data_type().to_string();
            let array = with_column(&kind.sample, field.name(), Some(wrong));
            let error = (kind.read)(&array).unwrap_err().to_string();
            let (message, expected) = (kind.name, field.data_type());
            let told = format!(
                "{message}.{}: expected {expected}, found {found}",
                field.name()
            );
            assert_eq!(error, told);
        }
    }
}

#[test]
fn a_null_is_refused_where_a_value_is_due() {
    for kind in kinds() {
        for field in kind.sample.fields() {
            let null: ArrayRef = Arc::new(NullArray::new(1));
            let array = with_column(&kind.sample, field.name(), Some(null));
            let read = (kind.read)(&array);
            let column = format!("{}.{}", kind.name, field.name());
            match read {
                // Parts of an action layout and of a continuation are there or not together.
                Err(error) if field.is_nullable() => assert!(
                    matches!(error, MessageError::Value { .. }),
                    "{column}: {error}"
                ),
                Ok(()) => assert!(field.is_nullable(), "{column}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(
                        text.starts_with(&column) && text.ends_with("found null"),
                        "{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_unknown_column_is_named() {
    for kind in kinds() {
        let fields = kind.sample.fields().iter().cloned();
        let mut columns: Vec<_> = fields.zip(kind.sample.columns().iter().cloned()).collect();
        let extra: ArrayRef = Arc::new(UInt32Array::from(vec![1]));
        let field = Field::new("speed_limit", DataType::UInt32, false);
        columns.push((Arc::new(field), extra));
        let error = (kind.read)(&StructArray::from(columns)).unwrap_err();
        let told = format!("{}: column `speed_limit` is unknown", kind.name);
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn other_than_one_row_are_refused() {
    for kind in kinds() {
        let two = arrow::compute::concat(&[&kind.sample, &kind.sample]).unwrap();
        let rows = |found: usize| MessageError::Rows {
            message: kind.name,
            found,
        };
        assert_eq!((kind.read)(two.as_ref()).unwrap_err(), rows(2));
        let none = kind.sample.slice(0, 0);
        assert_eq!((kind.read)(&none).unwrap_err(), rows(0));
        let (fields, columns, _) = kind.sample.clone().into_parts();
        let null = StructArray::new(fields, columns, Some(vec![false].into()));
        let error = (kind.read)(&null).unwrap_err();
        assert_eq!(error, MessageError::NullRow { message: kind.name });
        let error = (kind.read)(&UInt32Array::from(vec![1])).unwrap_err();
        let told = format!("{}: expected an Arrow struct, found UInt32", kind.name);
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn no_message_is_taken_for_one_with_other_columns() {
    let kinds = kinds();
    let columns = |kind: &Kind| {
        let mut names = kind.sample.column_names();
        names.sort_unstable();
        names.join(" ")
    };
    let mut alike = Vec::new();
    for (kind, other) in kinds
        .iter()
        .flat_map(|kind| kinds.iter().map(move |o| (kind, o)))
    {
        let is_read = (kind.read)(&other.sample).is_ok();
        assert_eq!(
            is_read,
            columns(kind) == columns(other),
            "{} {}",
            kind.name,
            other.name
        );
        if is_read && kind.name < other.name {
            alike.push((kind.name, other.name));
        }
    }
    // Only the dataflow's typed ports keep these two apart.
    assert_eq!(alike, [("StageAdvice", "StageQuery")]);
}

fn refused(column: &str, array: impl Array + 'static) -> String {
    let progress = Progress::default().to_arrow();
    let array = with_column(&progress, column, Some(Arc::new(array)));
    Progress::from_arrow(&array).unwrap_err().to_string()
}

#[test]
fn values_that_do_not_fit_are_named() {
    let table = [
        (
            refused("seq", Int64Array::from(vec![-3])),
            "Progress.seq: expected UInt64, found -3",
        ),
        (
            refused("stage", Int64Array::from(vec![1_i64 << 40])),
            "Progress.stage: expected UInt32, found 1099511627776",
        ),
        (
            refused("seq", Float64Array::from(vec![1.0])),
            "Progress.seq: expected UInt64, found Float64",
        ),
        (
            refused("planned", StringArray::from(vec!["0.5"])),
            "Progress.planned: expected Float64, found Utf8",
        ),
        (
            refused("planned", BooleanArray::from(vec![true])),
            "Progress.planned: expected Float64, found Boolean",
        ),
        (
            refused("seq", UInt64Array::from(vec![None])),
            "Progress.seq: expected UInt64, found null",
        ),
    ];
    for (found, expected) in table {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_huge_value_is_quoted_in_part() {
    let columns: ArrayRef = list_of(Arc::new(Int64Array::from(vec![-1; 10_000])));
    let contract = ProgramContract {
        points: 2,
        ..Default::default()
    };
    let array = with_column(&contract.to_arrow(), "ignored_columns", Some(columns));
    let error = ProgramContract::from_arrow(&array).unwrap_err().to_string();
    assert!(
        error.starts_with("ProgramContract.ignored_columns: expected LargeList"),
        "{error}"
    );
    assert!(
        error.contains("found [-1, -1") && error.len() < 200,
        "{error}"
    );
}

#[test]
fn lists_of_another_length_or_with_gaps_are_refused() {
    let of_q = |items: ArrayRef| {
        let state = with_column(
            &ArmState::default().to_arrow(),
            "q_rad",
            Some(list_of(items)),
        );
        ArmState::from_arrow(&state).unwrap_err().to_string()
    };
    let six = of_q(Arc::new(Float64Array::from(vec![0.0; 6])));
    assert_eq!(six, "ArmState.q_rad: expected 7 numbers, found 6");
    let gap = of_q(Arc::new(Float32Array::from(vec![Some(0.0), None])));
    assert_eq!(gap, "ArmState.q_rad: expected no null items, found 1");
}

fn text_of<M: Message>(message: &M) -> String {
    let Err(error) = M::from_arrow(&message.to_arrow()) else {
        panic!("{} is accepted", M::NAME)
    };
    error.to_string()
}

#[test]
fn contradictory_lengths_are_refused() {
    let keypoints = Keypoints {
        names: vec!["button".into()],
        xyz_m: vec![0.0; 6],
        visible: vec![true],
        ..Default::default()
    };
    let expected = "Keypoints.xyz_m: expected 3 items, found 6";
    assert_eq!(text_of(&keypoints), expected);
    let command = ArmCommand {
        q_rad: vec![0.0; 8],
        ..Default::default()
    };
    let expected = "ArmCommand.q_rad: expected one or more rows of 7 numbers, found 8 numbers";
    assert_eq!(text_of(&command), expected);
    let candidates = Candidates {
        particles: 1,
        points: 1,
        xyz_m: vec![0.0; 3],
        selected: 1,
        ..Default::default()
    };
    assert_eq!(
        text_of(&candidates),
        "Candidates.selected: expected below 1, found 1"
    );
    let program = RewardProgram::default();
    assert_eq!(
        text_of(&program),
        "RewardProgram.num_stages: expected 1 or more, found 0"
    );
    for points in [0, 1, 1026, u32::MAX] {
        let contract = ProgramContract {
            points,
            ..Default::default()
        };
        let expected = format!("ProgramContract.points: expected 2 to 1025, found {points}");
        assert_eq!(text_of(&contract), expected);
    }
}

fn chunk() -> ActionChunk {
    ActionChunk {
        horizon: 2,
        execute_steps: 2,
        actions: vec![0.0; 6],
        ..Default::default()
    }
}

#[test]
fn contradictory_chunks_are_refused() {
    let sound = chunk();
    assert!(ActionChunk::from_arrow(&sound.to_arrow()).is_ok());
    let cut = ActionChunk {
        actions: vec![0.0; 5],
        ..chunk()
    };
    assert_eq!(
        text_of(&cut),
        "ActionChunk.actions: expected 6 items, found 5"
    );
    let endless = ActionChunk {
        execute_steps: 3,
        ..chunk()
    };
    assert_eq!(
        text_of(&endless),
        "ActionChunk.execute_steps: expected 1 to 2, found 3"
    );
    let frozen = ActionChunk {
        continues: Some(Continuation {
            seq: 1,
            step: 2,
            frozen_steps: 2,
        }),
        ..chunk()
    };
    let expected = "ActionChunk.frozen_steps: expected below execute_steps = 2, found 2";
    assert_eq!(text_of(&frozen), expected);
    let null: ArrayRef = Arc::new(UInt64Array::from(vec![None]));
    let carried_on = ActionChunk {
        continues: Some(Continuation {
            seq: 1,
            step: 2,
            frozen_steps: 1,
        }),
        ..chunk()
    };
    let of_nothing = with_column(&carried_on.to_arrow(), "continues_seq", Some(null));
    let error = ActionChunk::from_arrow(&of_nothing)
        .unwrap_err()
        .to_string();
    let expected = "ActionChunk.continues_seq: expected the chunk that is carried on, found null \
                    with step 2 and 1 frozen steps";
    assert_eq!(error, expected);
}

#[test]
fn no_column_of_an_action_is_ignored_in_silence() {
    let contract = |layout| ProgramContract {
        points: 2,
        layout,
        ..Default::default()
    };
    let pose = layout_of(
        ActionMode::AbsolutePose,
        Some(RotationKind::EulerXyz),
        true,
        0,
    );
    let joints = layout_of(ActionMode::JointVelocity, None, false, 3);
    let numbers =
        |numbers: &[u32]| -> ArrayRef { list_of(Arc::new(UInt32Array::from(numbers.to_vec()))) };
    let null = || -> ArrayRef { Arc::new(NullArray::new(1)) };
    let word = |word: &str| -> ArrayRef { Arc::new(StringArray::from(vec![word])) };
    let table = [
        (&pose, "ignored_columns", numbers(&[7]), "below 7"),
        (
            &pose,
            "joint_columns",
            numbers(&[0, 1]),
            "joint_columns: expected no columns",
        ),
        (
            &joints,
            "position_columns",
            numbers(&[0, 1, 2]),
            "no columns with mode `joint_velocity`",
        ),
        (
            &joints,
            "rotation_columns",
            numbers(&[7, 8, 9]),
            "rotation_columns: expected no columns",
        ),
        (
            &joints,
            "joint_columns",
            numbers(&[0, 1, 2]),
            "expected 7 columns, found 3",
        ),
        (
            &joints,
            "ignored_columns",
            numbers(&[7]),
            "found column 8 nowhere",
        ),
        (
            &pose,
            "position_columns",
            numbers(&[0, 1]),
            "expected 3 columns, found 2",
        ),
        (
            &pose,
            "position_columns",
            numbers(&[0, 1, 6]),
            "`position` has",
        ),
        (
            &pose,
            "rotation_kind",
            null(),
            "expected a kind for the rotation columns, found null",
        ),
        (
            &pose,
            "rotation_kind",
            word("euler"),
            "expected one of rotation_vector, euler_xyz",
        ),
        (
            &pose,
            "rotation_kind",
            word("matrix_6d"),
            "6 columns for `matrix_6d`",
        ),
        (&pose, "gripper_open", null(), "expected all three or none"),
        (
            &pose,
            "mode",
            word("wiggle"),
            "expected one of delta_pose_base",
        ),
        (
            &pose,
            "mode",
            word("joint_position"),
            "expected no columns with mode `joint_position`",
        ),
    ];
    for (layout, column, array, expected) in table {
        let message = contract(layout.clone()).to_arrow();
        assert!(ProgramContract::from_arrow(&message).is_ok());
        let message = with_column(&message, column, Some(array));
        let error = ProgramContract::from_arrow(&message)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{column}: {error}");
    }
}

#[test]
fn words_that_nobody_knows_are_refused() {
    let word: ArrayRef = Arc::new(StringArray::from(vec!["dancing"]));
    let state = with_column(&ExecutionState::default().to_arrow(), "mode", Some(word));
    let error = ExecutionState::from_arrow(&state).unwrap_err().to_string();
    let expected = "ExecutionState.mode: expected one of `idle`, `homing`, `ready`, `executing`, \
                    `holding`, `held`, `stopping`, `stopped`, `fault`, `recovering`, `paused`, found `dancing`";
    assert_eq!(error, expected);
}
