//! Prompts: files with typed placeholders, filled with checked data.

mod data;
mod language;
mod set;
mod template;

pub use data::{Block, Quoted};
pub use language::operation_list;
pub use set::{
    AdvicePrompt, AdviceSystem, DoubtPrompt, MAX_SCENE_NOTES, PlanPrompt, PlanSystem, PromptSet,
    RepairPrompt, RewardPrompt, RewardSystem, ShortenPrompt,
};
pub use template::{Placeholders, PromptError, Template};

pub(crate) use set::{keypoint_table, numbered};
