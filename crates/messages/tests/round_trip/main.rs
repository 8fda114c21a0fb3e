//! Every message survives Arrow, in the forms that other languages give it too; what is no such
//! message is refused by name.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod reading;
mod refusing;
mod strategies;

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::Field;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tiller_core::{ActionMode, RotationKind};
use tiller_messages::*;

use crate::reading::as_pyarrow;

fn survives<M: Message + PartialEq + Debug>(message: &M) -> Result<(), TestCaseError> {
    let array = message.to_arrow();
    prop_assert_eq!(array.len(), 1);
    prop_assert_eq!(array.fields(), &M::fields());
    let mut numbered = M::from_arrow(&array)?;
    prop_assert_eq!(&numbered, message);
    prop_assert_eq!(&M::from_arrow(&as_pyarrow(&array))?, message);
    numbered.number(7, 9);
    prop_assert_eq!((numbered.session(), numbered.seq()), (7, 9));
    Ok(())
}

/// One message of a kind, and how it is read.
struct Kind {
    name: &'static str,
    sample: StructArray,
    read: fn(&dyn Array) -> Result<(), MessageError>,
}

fn kind<M: Message + Debug>(strategy: impl Strategy<Value = M>) -> Kind {
    let tree = strategy.new_tree(&mut TestRunner::deterministic()).unwrap();
    Kind {
        name: M::NAME,
        sample: tree.current().to_arrow(),
        read: |array| M::from_arrow(array).map(|_| ()),
    }
}

/// A property of each kind, and a sample of each.
macro_rules! kinds {
    ($( $strategy:ident, )*) => {
        proptest! {
            $( #[test] fn $strategy(message in strategies::$strategy()) { survives(&message)?; } )*
        }

        fn kinds() -> Vec<Kind> {
            vec![$( kind(strategies::$strategy()), )*]
        }
    };
}

kinds! {
    arm_state, execution_state, order, arm_command, episode, program_contract, action_chunk, candidates,
    dry_plan, keypoints, reward_program, proposal, approval, status, stage_command, stage_query, stage_advice, progress,
    safety_event, task_status, journal, bench_report, bench_work,
}

#[test]
fn every_message_is_tried() {
    let tried: Vec<_> = kinds().iter().map(|kind| kind.name).collect();
    let declared: Vec<_> = schemas().iter().map(|(name, _)| *name).collect();
    assert_eq!(tried, declared);
}

#[test]
fn every_schema_starts_with_version_session_and_number_and_has_a_name_of_its_own() {
    let mut names: Vec<_> = schemas().iter().map(|(name, _)| *name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for (name, fields) in schemas() {
        let first: Vec<_> = fields.iter().take(3).map(|field| field.name()).collect();
        assert_eq!(first, ["schema_version", "session", "seq"], "{name}");
    }
}

#[test]
fn every_kind_of_action_survives() {
    let kinds = RotationKind::ALL.into_iter().map(Some).chain([None]);
    for (mode, rotation) in ActionMode::ALL
        .into_iter()
        .flat_map(|mode| kinds.clone().map(move |kind| (mode, kind)))
    {
        for (gripper, ignored) in [(false, 0), (true, 2)] {
            let layout = strategies::layout_of(mode, rotation, gripper, ignored);
            let chunk = ActionChunk {
                execute_steps: 1,
                horizon: 2,
                actions: vec![0.5; 2 * layout.dim],
                layout,
                ..Default::default()
            };
            survives(&chunk).unwrap();
            assert_eq!(chunk.rows().len(), 2);
        }
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
            let field = Field::new(name, array.data_type().clone(), true);
            Some((Arc::new(field), array))
        })
        .collect();
    StructArray::from(columns)
}
