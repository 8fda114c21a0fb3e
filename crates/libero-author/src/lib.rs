//! LIBERO-Goal's author: reward programs from an instruction and named keypoints, without a network.
//!
//! [`EmbeddedAuthor`] stands behind the same [`Author`](tiller_vlm::Author) trait as any model. It knows the kinds of
//! things in LIBERO-Goal's scene, whatever their colours, and grasps them as the demonstrations do. It refuses what
//! it does not understand and never assumes an object that no keypoint shows.
//!
//! ```
//! use tiller_libero_author::EmbeddedAuthor;
//! use tiller_vlm::{Author, AuthorRequest, HandAccess, SceneKeypoint};
//!
//! let keypoint = |index, name: &str, position_m| SceneKeypoint {
//!     index,
//!     name: name.to_owned(),
//!     position_m,
//! };
//! let mut request = AuthorRequest {
//!     instruction: "put the bowl on the plate".to_owned(),
//!     keypoints: vec![
//!         keypoint(0, "akita black bowl", [0.558, 0.005, 0.017]),
//!         keypoint(1, "plate", [0.697, -0.017, -0.001]),
//!     ],
//!     hand: HandAccess::POSITIONS,
//! };
//! let answer = EmbeddedAuthor.author(&request)?;
//! assert!(answer.text.contains("def stage1_guidance(keypoints, action_sequence):"));
//!
//! request.instruction = "put the bowl on the stove".to_owned();
//! let refusal = EmbeddedAuthor.author(&request).unwrap_err();
//! assert!(refusal.to_string().starts_with("there is no stove among the keypoints"));
//! # Ok::<(), tiller_vlm::AuthorError>(())
//! ```

mod embedded;
mod recipes;
mod scene;
mod understand;

pub use embedded::EmbeddedAuthor;
pub use scene::{Kind, Level, Point};
pub use understand::{Goal, Place};
