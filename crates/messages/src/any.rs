//! A message whose type is found by its columns.

use arrow::array::{Array, StructArray};
use arrow::datatypes::Fields;

use crate::{Message, MessageError};

/// Declares [`AnyMessage`] over all messages.
macro_rules! messages {
    ( $( $name:ident ),+ $(,)? ) => {
        /// A message of any type.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum AnyMessage {
            $(
                #[doc = concat!("[`", stringify!($name), "`](crate::", stringify!($name), ")")]
                $name(Box<crate::$name>),
            )+
        }

        impl AnyMessage {
            /// The message, of whichever type its columns are: none where they are those of no message.
            ///
            /// # Errors
            /// [`MessageError`] when the columns are those of a message and it does not fit.
            pub fn from_arrow(array: &dyn Array) -> Result<Option<Self>, MessageError> {
                let Some(row) = array.as_any().downcast_ref::<StructArray>() else {
                    return Ok(None);
                };
                // In the order in which they are written first: a question and its answer have the same.
                for has_columns in [in_order, in_any_order] {
                    $(
                        if has_columns(row, &crate::$name::fields()) {
                            let message = crate::$name::from_arrow(row)?;
                            return Ok(Some(Self::$name(Box::new(message))));
                        }
                    )+
                }
                Ok(None)
            }

            /// The type's name in `types/tiller/v1.yml`.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$name(_) => crate::$name::NAME, )+
                }
            }

            /// The struct array of length 1.
            #[must_use]
            pub fn to_arrow(&self) -> StructArray {
                match self {
                    $( Self::$name(message) => message.to_arrow(), )+
                }
            }
        }

        /// Name and columns of every message, for the comparison with the dataflow's type declarations.
        pub fn schemas() -> Vec<(&'static str, Fields)> {
            vec![ $( (crate::$name::NAME, crate::$name::fields()) ),+ ]
        }
    };
}

messages!(
    ArmState,
    ExecutionState,
    Order,
    ArmCommand,
    Episode,
    ProgramContract,
    ActionChunk,
    Candidates,
    DryPlan,
    Keypoints,
    RewardProgram,
    Proposal,
    Approval,
    Status,
    StageCommand,
    StageQuery,
    StageAdvice,
    Progress,
    SafetyEvent,
    TaskStatus,
    Journal,
    BenchReport,
    BenchWork,
);

/// Whether a row has these columns and no others, in this order.
fn in_order(row: &StructArray, fields: &Fields) -> bool {
    let names = fields.iter().map(|field| field.name().as_str());
    row.column_names().into_iter().eq(names)
}

/// The same in any order, as other languages' libraries may write them.
fn in_any_order(row: &StructArray, fields: &Fields) -> bool {
    row.num_columns() == fields.len()
        && fields
            .iter()
            .all(|field| row.column_by_name(field.name()).is_some())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, UInt64Array};

    use super::*;
    use crate::{Progress, StageAdvice, StageQuery};

    #[test]
    fn no_two_messages_have_the_same_columns_in_the_same_order() {
        let columns = |fields: &Fields| -> Vec<String> {
            fields.iter().map(|field| field.name().clone()).collect()
        };
        let all: BTreeSet<_> = schemas()
            .iter()
            .map(|(_, fields)| columns(fields))
            .collect();
        assert_eq!(all.len(), schemas().len());
    }

    #[test]
    fn an_answer_is_not_taken_for_its_question() {
        let advice = StageAdvice {
            stage: 2,
            visit: 5,
            ..StageAdvice::default()
        };
        let any = AnyMessage::from_arrow(&advice.to_arrow()).unwrap();
        assert_eq!(any, Some(AnyMessage::StageAdvice(Box::new(advice))));
    }

    #[test]
    fn a_message_is_known_by_its_columns() {
        let query = StageQuery {
            stage: 3,
            reason: "the hand is empty".to_owned(),
            ..StageQuery::default()
        };
        let any = AnyMessage::from_arrow(&query.to_arrow()).unwrap().unwrap();
        assert_eq!(
            (any.name(), any.to_arrow()),
            ("StageQuery", query.to_arrow())
        );
        assert_eq!(any, AnyMessage::StageQuery(Box::new(query)));
        assert_ne!(any.name(), Progress::NAME);
    }

    #[test]
    fn what_is_no_message_is_none() {
        let number: ArrayRef = Arc::new(UInt64Array::from(vec![1]));
        assert_eq!(AnyMessage::from_arrow(&number).unwrap(), None);
        let row = StructArray::try_from(vec![("session", number)]).unwrap();
        assert_eq!(AnyMessage::from_arrow(&row).unwrap(), None);
    }
}
