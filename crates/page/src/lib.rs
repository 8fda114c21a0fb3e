//! What the operator's page shows and what it may ask for; no server, no dataflow, no thread is here.
//!
//! | part | what |
//! |---|---|
//! | [`Page`] | the run's messages in, the page's sections as JSON out |
//! | [`Ask`] | what a browser may ask for, read from JSON with every limit checked |
//! | [`Evaluation`] | an operator's verdicts in a file of lines, and statistics by task |
//! | [`TaskList`] | instructions to choose from, in YAML |
//! | [`access`] | which requests come from the page itself, and from somebody who may |
//!
//! Everything that a model, a person or another node wrote leaves as text in which nothing is hidden
//! ([`tiller_core::visible_block`]); that it is never markup is for the page to see to. Numbers of 64 bits leave
//! as text, for a browser's numbers have 53.

pub mod access;
mod ask;
mod curve;
mod evaluation;
mod orders;
mod overlay;
mod page;
mod rewards;
mod seen;
mod task_list;
mod under_way;

pub use ask::{Ask, AskError, OrderKind};
pub use evaluation::{Evaluation, Judgement, TaskTally, Verdict};
pub use page::{Page, Section};
pub use rewards::{Rewards, StageReward};
pub use task_list::{TaskList, TaskListError};
