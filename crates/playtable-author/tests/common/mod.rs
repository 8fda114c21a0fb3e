//! The play table's keypoints, as grounding names them.

use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::{Answer, Author, AuthorError, AuthorRequest, SceneKeypoint};

/// Name and position of every keypoint.
pub(crate) const TABLE: &[(&str, [f64; 3])] = &[
    ("drawer handle", [0.594, -0.300, 0.058]),
    ("drawer 1", [0.662, -0.233, 0.078]),
    ("drawer 2", [0.658, -0.355, 0.078]),
    ("door handle", [0.652, 0.000, 0.078]),
    ("door 1", [0.732, 0.048, 0.089]),
    ("door 2", [0.732, -0.037, 0.089]),
    ("switch", [0.510, 0.380, 0.050]),
    ("button", [0.4075, -0.140, 0.031]),
    ("red block", [0.465, 0.020, 0.032]),
    ("blue block", [0.465, 0.140, 0.032]),
    ("pink block", [0.465, 0.260, 0.032]),
];

/// A scene with the keypoints whose names pass the filter.
pub(crate) fn request_with(instruction: &str, keep: impl Fn(&str) -> bool) -> AuthorRequest {
    let kept = TABLE.iter().filter(|(name, _)| keep(name)).enumerate();
    let keypoints = kept.map(|(index, (name, position_m))| SceneKeypoint {
        index,
        name: (*name).to_owned(),
        position_m: *position_m,
    });
    AuthorRequest {
        hand: tiller_reward::HandAccess::POSITIONS,
        instruction: instruction.to_owned(),
        keypoints: keypoints.collect(),
    }
}

/// The whole play table.
pub(crate) fn request(instruction: &str) -> AuthorRequest {
    request_with(instruction, |_| true)
}

/// The embedded author's answer for the whole play table.
#[allow(dead_code, reason = "not every test asks for it")]
pub(crate) fn author(instruction: &str) -> Result<Answer, AuthorError> {
    EmbeddedAuthor.author(&request(instruction))
}
