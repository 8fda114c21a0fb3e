//! From CALVIN's fingertips to the tool point, which rewards move.

use tiller_reward::{Access, HandAccess};
use tiller_vlm::recipe::{Target, number, tensor};

use super::measures::{Offset, TOOL_TO_TIP_M, plus, times};

/// Where a hand points whose fingertips are tilted forwards (+y) from straight down, rad.
pub(super) fn down(tilt_rad: f64) -> Offset {
    let (sin, cos) = tilt_rad.sin_cos();
    [0.0, sin, -cos]
}

/// Where the fingers open of a hand that is turned counter-clockwise from the base's x, rad.
pub(super) fn across(turn_rad: f64) -> Offset {
    let (sin, cos) = turn_rad.sin_cos();
    [cos, sin, 0.0]
}

/// The tool point of a tilted hand with its fingertips at a place, m.
pub(super) fn tool_of(tip_m: Offset, tilt_rad: f64) -> Offset {
    plus(tip_m, times(-TOOL_TO_TIP_M, down(tilt_rad)))
}

/// Fingertips at a place, whose lines define `tips`; the hand may point anywhere, and is taken to be tilted so where
/// a reward does not see it.
pub(super) fn at_tips(lines: &[String], tilt_rad: f64, access: HandAccess) -> Target {
    let with = |points: String| {
        let tool = format!("target = tips - {} * {points}", number(TOOL_TO_TIP_M));
        lines.iter().cloned().chain([tool]).collect()
    };
    let sees = access.rotations != Access::Absent;
    Target {
        guidance: with(if sees {
            "rotations[:, :, :, 2]".to_owned()
        } else {
            tensor(down(tilt_rad))
        }),
        done: with("rotation[:, 2]".to_owned()),
    }
}
