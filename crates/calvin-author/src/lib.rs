//! CALVIN's author: reward programs from an instruction and named keypoints, without a network.
//!
//! [`EmbeddedAuthor`] stands behind the same [`Author`](tiller_vlm::Author) trait as any model. It knows the things on
//! CALVIN's table and moves them as the experts do. It refuses what it does not understand and never assumes an object
//! that no keypoint shows.
//!
//! ```
//! use tiller_calvin_author::EmbeddedAuthor;
//! use tiller_vlm::{Author, AuthorRequest, HandAccess, SceneKeypoint};
//!
//! let keypoint = |index, name: &str, position_m| SceneKeypoint {
//!     index,
//!     name: name.to_owned(),
//!     position_m,
//! };
//! let mut request = AuthorRequest {
//!     instruction: "pull the handle to open the drawer".to_owned(),
//!     keypoints: vec![
//!         keypoint(0, "drawer handle", [0.537, 0.221, 0.128]),
//!         keypoint(1, "red block", [0.361, 0.320, 0.228]),
//!     ],
//!     hand: HandAccess::WHOLE,
//! };
//! let answer = EmbeddedAuthor.author(&request)?;
//! assert_eq!(answer.understood.as_deref(), Some("open the drawer"));
//! assert!(answer.text.contains("def stage1_guidance(keypoints, action_sequence, rotations, gripper):"));
//!
//! request.instruction = "lift the blue block".to_owned();
//! let refusal = EmbeddedAuthor.author(&request).unwrap_err();
//! assert!(refusal.to_string().starts_with("there is no blue block among the keypoints"));
//! # Ok::<(), tiller_vlm::AuthorError>(())
//! ```

mod embedded;
mod recipes;
mod scene;
mod understand;

pub use embedded::EmbeddedAuthor;
pub use scene::{Kind, Point, Spot};
pub use understand::{Goal, Side};
