//! The scene as an author sees it.

use tiller_messages::Keypoints;
use tiller_vlm::SceneKeypoint;

/// The keypoints as an author sees them.
#[must_use]
pub fn scene(keypoints: &Keypoints) -> Vec<SceneKeypoint> {
    let rows = keypoints.names.iter().zip(keypoints.points()).enumerate();
    rows.map(|(index, (name, position_m))| SceneKeypoint {
        index,
        name: name.clone(),
        position_m,
    })
    .collect()
}
