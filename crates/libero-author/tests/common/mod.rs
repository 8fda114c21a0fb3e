//! Keypoints as grounding finds them in LIBERO-Goal's scenes.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) use tiller_author_testing::request_in;
use tiller_vlm::AuthorRequest;

/// Names and positions in the first state of `libero_goal`.
pub(crate) const SCENE: &[(&str, [f64; 3])] = &[
    ("akita black bowl", [0.558, 0.005, 0.017]),
    ("cream cheese", [0.625, 0.133, 0.004]),
    ("flat stove", [0.437, 0.200, 0.011]),
    ("flat stove burner", [0.412, 0.201, 0.018]),
    ("flat stove knob", [0.268, 0.198, 0.021]),
    ("plate", [0.697, -0.017, -0.001]),
    ("wine bottle", [0.461, -0.052, 0.058]),
    ("wine rack", [0.410, -0.220, 0.200]),
    ("wooden cabinet", [0.757, -0.236, 0.162]),
    ("wooden cabinet bottom drawer", [0.726, -0.146, 0.041]),
    ("wooden cabinet middle drawer", [0.724, -0.147, 0.109]),
    ("wooden cabinet top drawer", [0.710, -0.148, 0.179]),
];

/// What `libero_goal_object` puts in their places, all at once.
pub(crate) const OBJECTS: &[(&str, [f64; 3])] = &[
    ("bigger akita black bowl", [0.548, 0.028, 0.030]),
    ("brown rack", [0.410, -0.220, 0.200]),
    ("red cream cheese", [0.628, 0.140, 0.005]),
    ("white bottle", [0.460, -0.049, 0.057]),
    ("yellow cabinet", [0.757, -0.236, 0.162]),
    ("yellow cabinet bottom drawer", [0.726, -0.146, 0.041]),
    ("yellow cabinet middle drawer", [0.724, -0.147, 0.109]),
    ("yellow cabinet top drawer", [0.710, -0.148, 0.179]),
    ("yellow plate", [0.704, -0.032, -0.001]),
    ("yellow stove", [0.436, 0.202, 0.011]),
    ("yellow stove burner", [0.412, 0.201, 0.018]),
    ("yellow stove knob", [0.268, 0.198, 0.021]),
];

/// An instruction in LIBERO-Goal's scene.
pub(crate) fn request(instruction: &str) -> AuthorRequest {
    request_in(SCENE, instruction)
}
