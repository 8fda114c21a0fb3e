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
    }
    check Keypoints::check;
}

impl Keypoints {
    /// The positions, one point each.
    pub fn points(&self) -> impl ExactSizeIterator<Item = [f64; 3]> + '_ {
        self.xyz_m.chunks_exact(3).map(|p| [p[0], p[1], p[2]])
    }

    fn check(&self) -> Result<(), MessageError> {
        let count = self.names.len();
        check_length(Self::NAME, "xyz_m", count * 3, self.xyz_m.len())?;
        check_length(Self::NAME, "visible", count, self.visible.len())
    }
}
