//! What keypoints are away from what matters, measured.
//!
//! A keypoint is the centroid of the surface that `static` sees, in 200 x 200 pixels; what matters is the middle of a
//! handle, a lever or a block, and the middle of the button's top. Over 20 scenes the vectors of things that stand
//! still are the same to a millimetre, those of blocks on the table spread by 1 to 4 mm. All in metres along the base
//! frame's axes.

use crate::scene::{Kind, Point};

/// A vector, m.
pub(super) type Offset = [f64; 3];

const DRAWER_HANDLE: Offset = [-0.017, -0.011, -0.008];
/// The arm at rest hides a part of one that stands far to the left, which is then seen 2 cm higher until it moves.
const SLIDE_HANDLE: Offset = [-0.010, -0.001, -0.005];
/// The fingers at rest hide a half of it.
const BUTTON: Offset = [-0.007, 0.010, 0.005];
const SWITCH: Offset = [-0.018, -0.004, -0.002];
const BLOCK: Offset = [-0.011, 0.005, -0.008];

/// From a thing's keypoint to its middle.
pub(super) fn middle(point: &Point) -> Offset {
    match point.kind {
        Kind::Block => BLOCK,
        Kind::DrawerHandle | Kind::Drawer => DRAWER_HANDLE,
        Kind::SlideHandle | Kind::Slide => SLIDE_HANDLE,
        Kind::Button | Kind::Led => BUTTON,
        Kind::Switch | Kind::Bulb => SWITCH,
    }
}

/// Where a thing's middle was seen.
pub(super) fn middle_of(point: &Point) -> Offset {
    plus(point.position_m, middle(point))
}

pub(super) fn plus(a: Offset, b: Offset) -> Offset {
    std::array::from_fn(|axis| a[axis] + b[axis])
}

pub(super) fn times(share: f64, a: Offset) -> Offset {
    a.map(|part| share * part)
}

/// Up along the table's back, on which slide and switch move: it leans by 30 degrees.
pub(super) const ALONG_BACK: Offset = [0.0, 0.5, 0.866_025_403_784_438_6];
/// From the tool point to the middle of the pads at CALVIN's longer fingertips, along the hand.
pub(super) const TOOL_TO_TIP_M: f64 = 0.0366;
/// Between the fingers there is at most this when they have closed on nothing.
pub(super) const CLOSED_WIDTH_M: f64 = 0.010;
/// Fingers nearer to each other have missed a block.
pub(super) const EMPTY_WIDTH_M: f64 = 0.025;
/// Between fingers that hold a block there is at most this: a red one may be held by its longer sides.
pub(super) fn held_width_m(block: &Point) -> f64 {
    if block.is_called("red") { 0.062 } else { 0.046 }
}
