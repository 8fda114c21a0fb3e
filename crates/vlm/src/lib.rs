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
//! [`EmbeddedAuthor`] works without a network. It knows the play table's kinds of objects, refuses
//! what it does not understand and never assumes an object that no keypoint shows.
//!
//! ```
//! use tiller_vlm::{Author, AuthorRequest, EmbeddedAuthor, SceneKeypoint};
//!
//! let mut request = AuthorRequest {
//!     instruction: "please open the drawer".to_owned(),
//!     keypoints: vec![SceneKeypoint {
//!         index: 0,
//!         name: "drawer handle".to_owned(),
//!         position_m: [0.58, -0.3, 0.06],
//!     }],
//! };
//! let answer = EmbeddedAuthor.author(&request)?;
//! assert!(answer.text.contains("def stage1_guidance(keypoints, action_sequence):"));
//!
//! request.instruction = "make coffee".to_owned();
//! let refusal = EmbeddedAuthor.author(&request).unwrap_err();
//! assert_eq!(
//!     refusal.to_string(),
//!     "I do not know how to make coffee; I can: open the drawer, close the drawer",
//! );
//! # Ok::<(), tiller_vlm::AuthorError>(())
//! ```

pub mod advice;
mod author;
pub mod budget;
pub mod cache;
mod embedded;
pub mod exchange;
mod http;
mod program;
pub mod prompt;
pub mod provider;
mod recipes;
pub mod repair;
mod scene;
mod understand;

pub use author::{Abilities, Answer, Author, AuthorError, AuthorRequest, SceneKeypoint};
pub use embedded::EmbeddedAuthor;
pub use understand::{Direction, Goal};
