//! Reward authors: from instruction and keypoints to reward programs.
//!
//! An [`Author`] sees what a vision-language model would see, the instruction and the named
//! keypoints of the annotated image, and answers with the text of a reward program. The text then
//! goes through the parser, the checks and the compiler of `tiller-reward`, whoever wrote it.
//!
//! Models are reached through a [`provider::Provider`]; an [`exchange::Client`] puts cache, budget,
//! further tries and records around it, and [`exchange::Background`] keeps its owner from waiting.
//! [`repair::Authoring`] leads from their answers to a checked program, [`advice::Adviser`] to a
//! stage number. Whatever an answer says, it can become nothing else.
//!
//! Authors that need no network, such as a world's own, implement [`Author`] and are registered by
//! whoever puts the parts together: [`provider::EmbeddedProvider`] asks one, and
//! [`repair::Authoring`] falls back on one. Nothing here knows any world.

pub mod advice;
mod author;
pub mod budget;
pub mod cache;
pub mod exchange;
mod http;
pub mod prompt;
pub mod provider;
pub mod recipe;
mod recorded;
pub mod repair;
pub mod settings;
pub mod text;
pub mod things;
pub mod words;

pub use author::{Abilities, Answer, Author, AuthorError, AuthorRequest, SceneKeypoint};
pub use recorded::{RecordedError, RecordedPrograms};
pub use tiller_reward::HandAccess;
