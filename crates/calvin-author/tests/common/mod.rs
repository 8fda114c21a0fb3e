//! Keypoints as grounding finds them on CALVIN's table.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) use tiller_author_testing::request_in;
use tiller_vlm::AuthorRequest;

/// Names and positions at the beginning of an episode in scene D: the red block on the table, the blue one on the shelf.
pub(crate) const SCENE: &[(&str, [f64; 3])] = &[
    ("blue block", [0.175, 0.545, 0.235]),
    ("red block", [0.363, 0.319, 0.229]),
    ("pink block", [0.521, 0.362, 0.228]),
    ("table", [0.411, 0.438, 0.225]),
    ("button", [0.227, 0.330, 0.239]),
    ("switch", [0.658, 0.483, 0.290]),
    ("slide", [0.401, 0.516, 0.312]),
    ("drawer", [0.539, 0.260, 0.120]),
    ("led", [0.230, 0.616, 0.421]),
    ("light", [0.654, 0.609, 0.437]),
    ("plank", [0.090, 0.551, 0.200]),
    ("slide handle", [0.390, 0.477, 0.334]),
    ("drawer handle", [0.537, 0.221, 0.128]),
];

/// An instruction in the usual scene.
pub(crate) fn request(instruction: &str) -> AuthorRequest {
    request_in(SCENE, instruction)
}
