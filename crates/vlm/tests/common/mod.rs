//! The play table's keypoints, as grounding names them.

use tiller_vlm::{Answer, Author, AuthorError, AuthorRequest, EmbeddedAuthor, SceneKeypoint};

/// Name and position of every keypoint.
pub(crate) const TABLE: &[(&str, [f64; 3])] = &[
    ("drawer handle", [0.582, -0.300, 0.060]),
    ("drawer 1", [0.665, -0.240, 0.060]),
    ("drawer 2", [0.665, -0.360, 0.060]),
    ("door handle", [0.625, 0.000, 0.090]),
    ("door 1", [0.710, -0.040, 0.090]),
    ("door 2", [0.710, 0.040, 0.090]),
    ("switch", [0.510, 0.380, 0.065]),
    ("button", [0.400, -0.140, 0.032]),
    ("red block", [0.465, 0.020, 0.033]),
    ("blue block", [0.465, 0.140, 0.033]),
    ("pink block", [0.465, 0.260, 0.033]),
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
        instruction: instruction.to_owned(),
        keypoints: keypoints.collect(),
    }
}

/// The whole play table.
pub(crate) fn request(instruction: &str) -> AuthorRequest {
    request_with(instruction, |_| true)
}

/// The embedded author's answer for the whole play table.
pub(crate) fn author(instruction: &str) -> Result<Answer, AuthorError> {
    EmbeddedAuthor.author(&request(instruction))
}
