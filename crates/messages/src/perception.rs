//! What was seen.

use tiller_core::EpisodeId;

use crate::message::{check_length, message};
use crate::{Message, MessageError};

message! {
    /// Tracked 3-D points on named objects.
    pub struct Keypoints {
        /// Stamp of the image, ns.
        pub stamp_ns: u64,
        /// The episode whose scene it is; 0 before the first.
        pub episode: EpisodeId,
        /// Rises whenever the points are grounded anew: indices keep their meaning within one.
        pub generation: u32,
        /// What each point is on, `[K]`, such as `drawer handle`.
        pub names: Vec<String>,
        /// Positions in the base frame, `[K x 3]` row-major, m.
        pub xyz_m: Vec<f64>,
        /// Whether the point was seen in this image; else its last position stands, `[K]`.
        pub visible: Vec<bool>,
        /// Axes of the things that the points are on: rotation matrices in the base frame whose columns
        /// they are, `[K x 9]` row-major; empty where none are known.
        pub axes: Vec<f64>,
        /// Time since each point was last seen, ns, `[K]`: 0 while it is; empty where nobody counts.
        pub age_ns: Vec<u64>,
        /// How far each position is to be trusted, `[K]`: from 1 to 0, which is lost; empty where nobody
        /// says, which is as good as 1.
        pub confidence: Vec<f64>,
    }
    names names;
    check Keypoints::check;
}

impl Keypoints {
    /// The positions, one point each.
    pub fn points(&self) -> impl ExactSizeIterator<Item = [f64; 3]> + '_ {
        self.xyz_m.chunks_exact(3).map(|p| [p[0], p[1], p[2]])
    }

    /// The axes, one rotation matrix each; none where they are not known.
    pub fn axes(&self) -> impl ExactSizeIterator<Item = [[f64; 3]; 3]> + '_ {
        let rows =
            |m: &[f64]| std::array::from_fn(|row| [m[3 * row], m[3 * row + 1], m[3 * row + 2]]);
        self.axes.chunks_exact(9).map(rows)
    }

    fn check(&self) -> Result<(), MessageError> {
        let count = self.names.len();
        if !self.axes.is_empty() {
            check_length(Self::NAME, "axes", count * 9, self.axes.len())?;
        }
        if !self.age_ns.is_empty() {
            check_length(Self::NAME, "age_ns", count, self.age_ns.len())?;
        }
        if !self.confidence.is_empty() {
            check_length(Self::NAME, "confidence", count, self.confidence.len())?;
        }
        check_length(Self::NAME, "xyz_m", count * 3, self.xyz_m.len())?;
        check_length(Self::NAME, "visible", count, self.visible.len())
    }
}
