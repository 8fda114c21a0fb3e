//! From an instruction to goals: words, then tokens, then clauses, then one goal each or a reason why not.
//!
//! Every word must be accounted for. A reader that skips what it does not know would open the
//! drawer when told to open it *halfway* or *never*, which is worse than asking back.

mod asides;
mod clauses;
mod colours;
mod corrections;
mod goal;
mod joints;
mod keep_out;
mod lexicon;
mod parse;
mod phrases;
mod real_words;
mod resolve;
mod spelling;
mod templates;
mod words;

pub(crate) use goal::colour;
pub use goal::{Direction, Goal, TaskIdError, TaskSpec, Thing, Way};
pub(crate) use parse::parse;
