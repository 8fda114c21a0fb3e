//! The play table's author: reward programs from an instruction and named keypoints, without a network.
//!
//! [`EmbeddedAuthor`] stands behind the same [`Author`](tiller_vlm::Author) trait as any model. It
//! knows the play table's kinds of objects, refuses what it does not understand and never assumes
//! an object that no keypoint shows.
//!
//! ```
//! use tiller_playtable_author::EmbeddedAuthor;
//! use tiller_vlm::{Author, AuthorRequest, HandAccess, SceneKeypoint};
//!
//! let mut request = AuthorRequest {
//!     instruction: "please open the drawer".to_owned(),
//!     keypoints: vec![SceneKeypoint {
//!         index: 0,
//!         name: "drawer handle".to_owned(),
//!         position_m: [0.58, -0.3, 0.06],
//!     }],
//!     hand: HandAccess::POSITIONS,
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

mod embedded;
pub mod hard;
mod program;
mod recipes;
mod scene;
mod understand;

pub use embedded::EmbeddedAuthor;
pub use understand::{Direction, Goal, TaskIdError, TaskSpec, Thing, Way};
