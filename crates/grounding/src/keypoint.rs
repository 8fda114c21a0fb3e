//! A tracked point on an object.

use tiller_messages::Keypoints;

use crate::tracker::Sight;

/// A named 3-D point.
#[derive(Debug, Clone, PartialEq)]
pub struct Keypoint {
    /// Row in `keypoints` of a reward program; never changes within a generation.
    pub index: usize,
    /// The object's name, numbered if the object has several points: `mug`, `shelf 2`.
    pub name: String,
    /// The object's name.
    pub object: String,
    /// Position in the world frame, m; the last one seen while not visible.
    pub position_m: [f64; 3],
    /// Axes of the object in the world frame, a rotation matrix by rows whose columns they are: the first along its
    /// longest side, the third along its thinnest. The world's own for what looks alike from every side.
    pub axes: [[f64; 3]; 3],
    /// Whether the object was seen in the last frame.
    pub visible: bool,
    /// Time since the object was last seen, ns; 0 while visible.
    pub age_ns: u64,
    /// How far the position is to be trusted, from 1 to 0 (lost). While the object is seen, the share of its points that
    /// agree; hidden by something, it falls slowly; lost, within a second.
    pub confidence: f64,
}

impl Keypoint {
    /// Axes of what has none.
    pub const NO_AXES: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

    /// These keypoints as a message's columns; when they were seen and whose scene they are of is its sender's to say.
    pub fn columns(keypoints: &[Self]) -> Keypoints {
        Keypoints {
            names: keypoints.iter().map(|k| k.name.clone()).collect(),
            xyz_m: keypoints.iter().flat_map(|k| k.position_m).collect(),
            visible: keypoints.iter().map(|k| k.visible).collect(),
            axes: keypoints.iter().flat_map(|k| k.axes).flatten().collect(),
            age_ns: keypoints.iter().map(|k| k.age_ns).collect(),
            confidence: keypoints.iter().map(|k| k.confidence).collect(),
            ..Keypoints::default()
        }
    }
}

/// How far a position is to be trusted that is known like this, for an object that was last seen so long
/// ago: while it is seen, how well its points agree; carried by the hand, somewhat less; hidden, half of
/// it, and half of that after every 10 s; lost, the same after every 0.2 s.
pub(crate) fn confidence(sight: Sight, agreement: f64, age_ns: u64) -> f64 {
    let fading = |half_life_ns: f64| 0.5 * agreement * 0.5f64.powf(age_ns as f64 / half_life_ns);
    match sight {
        Sight::Seen => agreement,
        Sight::Carried => 0.7 * agreement,
        Sight::Hidden => fading(10e9),
        Sight::Lost => fading(0.2e9),
    }
}

/// An object that was passed over at grounding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The object's name.
    pub object: String,
    /// Why it has no keypoint.
    pub reason: String,
}
