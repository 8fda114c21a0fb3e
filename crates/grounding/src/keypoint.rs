//! A tracked point on an object.

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
    /// Whether the object was seen in the last frame.
    pub visible: bool,
    /// Time since the object was last seen, ns; 0 while visible.
    pub age_ns: u64,
}

/// An object that was passed over at grounding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The object's name.
    pub object: String,
    /// Why it has no keypoint.
    pub reason: String,
}
