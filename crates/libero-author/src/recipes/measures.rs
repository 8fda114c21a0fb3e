//! What keypoints are away from what matters, measured.
//!
//! A keypoint is the centroid of the surface that `agentview` sees, in 256 x 256 pixels. Over 20 initial states of
//! LIBERO-Goal the offsets to a thing's own origin spread by at most 2 mm (a bottle's height by 6 mm); where others
//! hide a part (`libero_goal_swap`) by 1 to 4 cm. All in metres along the base frame's axes, for things that stand as
//! they do in LIBERO-Goal.

use crate::scene::{Kind, Level, Point};

/// A vector, m.
pub(super) type Offset = [f64; 3];

/// A thing that is grasped, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Graspable {
    /// From the keypoint to the thing's origin.
    pub(super) origin: Offset,
    /// From the origin to the hand: where the demonstrations hold it. With a ring this is its height alone.
    pub(super) hold: Offset,
    /// Radius of the rim that is held wherever the policy likes; the demonstrations do on the left.
    pub(super) ring: Option<f64>,
    /// How far the origin is above what the thing stands on.
    pub(super) rests: f64,
    /// How far from there it may be held. A plate that hangs from its rim shows its centroid elsewhere.
    pub(super) astray: f64,
    /// How fast it may be lifted, a step of 100 ms: a plate slips out of fingers in a hurry.
    pub(super) lifted: Option<f64>,
    /// Height at which the hand carries it over the table.
    pub(super) carried: f64,
    /// Between the fingers there is at most this when they have closed on it.
    pub(super) width: f64,
}

const BOWL: Graspable = Graspable {
    origin: [0.0148, -0.0002, -0.0301],
    hold: [0.0, 0.0, 0.035],
    ring: Some(0.052),
    rests: 0.0,
    astray: 0.020,
    lifted: None,
    carried: 0.141,
    width: 0.012,
};
/// One and a half times as large in every direction.
const BIGGER_BOWL: Graspable = Graspable {
    origin: [0.0239, -0.0003, -0.0448],
    hold: [0.0, 0.0, 0.059],
    ring: Some(0.078),
    rests: 0.0,
    astray: 0.020,
    lifted: None,
    carried: 0.141,
    width: 0.015,
};
const CHEESE: Graspable = Graspable {
    origin: [-0.0093, 0.0013, -0.0076],
    hold: [0.0, 0.0, -0.007],
    ring: None,
    rests: 0.0085,
    astray: 0.020,
    lifted: None,
    carried: 0.141,
    width: 0.047,
};
const BOTTLE: Graspable = Graspable {
    origin: [-0.0123, -0.0007, -0.0710],
    hold: [0.0, 0.0, 0.118],
    ring: None,
    rests: 0.0,
    astray: 0.020,
    lifted: None,
    carried: 0.141,
    width: 0.019,
};
const PLATE: Graspable = Graspable {
    origin: [0.0019, 0.0002, -0.0085],
    hold: [0.0, 0.064, 0.004],
    ring: None,
    rests: 0.0025,
    astray: 0.005,
    lifted: Some(0.012),
    carried: 0.085,
    width: 0.034,
};

/// How a thing is grasped; none for what is not.
pub(super) fn graspable(point: &Point) -> Option<Graspable> {
    match point.kind {
        Kind::Bowl if point.is_called("bigger") => Some(BIGGER_BOWL),
        Kind::Bowl => Some(BOWL),
        Kind::Cheese => Some(CHEESE),
        Kind::Bottle => Some(BOTTLE),
        Kind::Plate => Some(PLATE),
        _ => None,
    }
}

/// From a burner's keypoint to the middle of its surface.
pub(super) const BURNER: Offset = [-0.0061, 0.0009, 0.0];
/// From a burner's middle to where the front of the stove is, and down to the table.
pub(super) const FRONT_M: f64 = 0.204;
pub(super) const BURNER_ABOVE_TABLE_M: f64 = 0.030;
/// From a knob's keypoint to where its bar is held.
pub(super) const KNOB: Offset = [0.0028, 0.0057, 0.0083];
/// Between the fingers there is at most this when they have closed on its bar.
pub(super) const KNOB_WIDTH_M: f64 = 0.045;
/// From a plate's keypoint to what stands on it, and from a bowl's to what lies in it.
pub(super) const ON_PLATE: Offset = [0.0019, 0.0002, -0.0045];
/// From a rack's keypoint to the middle of its highest board.
pub(super) const RACK: Offset = [-0.0135, 0.0495, 0.0215];

/// From the keypoint of a shut drawer to the middle of its handle. A drawer's width hides in part behind its
/// cabinet, so that the keypoints stand one below the other only by a centimetre or two.
pub(super) fn handle(level: Level) -> Offset {
    match level {
        Level::Top => [-0.0067, 0.0164, -0.0018],
        Level::Middle => [-0.0214, 0.0150, -0.0024],
        Level::Bottom => [-0.0234, 0.0143, -0.0036],
    }
}

/// Between the fingers there is at most this when they have closed on a handle.
pub(super) const HANDLE_WIDTH_M: f64 = 0.0185;

/// From the keypoint of a shut drawer to its cabinet's origin, on the table below its middle.
pub(super) fn cabinet(level: Level) -> Offset {
    match level {
        Level::Top => [-0.0097, -0.0856, -0.1858],
        Level::Middle => [-0.0244, -0.0870, -0.1164],
        Level::Bottom => [-0.0264, -0.0877, -0.0476],
    }
}

/// The same from the cabinet's own keypoint, where no shut drawer is seen.
pub(super) const CABINET: Offset = [-0.0572, 0.0014, -0.1685];
/// From a cabinet's origin to where things are put on its top: beside the middle, which is hardly within reach.
pub(super) const CABINET_TOP: Offset = [-0.0535, 0.0043, 0.2230];

/// From a cabinet's origin to the floor of an open drawer, where the cabinet and the drawer's front leave room.
pub(super) fn inside(level: Level) -> Offset {
    let z = match level {
        Level::Top => 0.154,
        Level::Middle => 0.084,
        Level::Bottom => 0.014,
    };
    [-0.0033, 0.1650, z]
}
