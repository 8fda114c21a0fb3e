//! One of two blocks that look the same.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use crate::recipes::grasp::{self, Fingers};
use crate::scene::{Point, Scene};

pub(super) struct Twins;

const LEFT: [&str; 3] = [
    "lift|raise|grab|pick ?up the left one of the ?two red blocks|cubes",
    "lift|raise|grab|pick ?up the left red block|cube",
    "lift|raise|grab|pick ?up the red block|cube on|to the left",
];
const RIGHT: [&str; 3] = [
    "lift|raise|grab|pick ?up the right one of the ?two red blocks|cubes",
    "lift|raise|grab|pick ?up the right red block|cube",
    "lift|raise|grab|pick ?up the red block|cube on|to the right",
];

impl Suite for Twins {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("twins_left", &LEFT), ("twins_right", &RIGHT)]
    }

    fn stages(&self, id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        // Left is the robot's: further along y.
        let side = if id == "twins_left" { 1.0 } else { -1.0 };
        let place = |point: &&Point| side * point.position_m[1];
        let blocks = || scene.points().filter(|point| point.object == "red block");
        let block = blocks().max_by(|a, b| place(a).total_cmp(&place(b)))?;
        (blocks().count() > 1).then(|| grasp::lift(block, Fingers::of(hand)))
    }
}
