//! Small questions with small answers: the stage to be in, the objects that matter.
//!
//! An answer can become a stage number of the program or numbers of a list, and nothing else.

mod adviser;
mod answer;
mod pending;
mod plan;

pub use adviser::{AdviceQuestion, Adviser};
pub use pending::{Advice, AdviceCounts, Asked, Moment};
pub use plan::{MAX_OBJECTS, parse_plan, plan_query};

use thiserror::Error;

/// Why an answer is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// It does not have the form that was asked for.
    #[error("expected {expected}, found {found}")]
    Malformed {
        /// The form.
        expected: &'static str,
        /// What is there instead.
        found: String,
    },
    /// It names something that does not exist.
    #[error("it names {found}, and there is {range}")]
    Impossible {
        /// What it names.
        found: String,
        /// What exists.
        range: String,
    },
}
