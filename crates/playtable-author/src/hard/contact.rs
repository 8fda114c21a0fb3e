//! A latch that is pressed and slid.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use super::steps::{AT, OVER, along, axis, go, holding, travelled, turned};
use crate::program::number;
use crate::recipes::grasp::Fingers;
use crate::recipes::terms::TRAVEL_Z_M;
use crate::scene::Scene;

pub(super) struct Contact;

const SAID: [&str; 3] = [
    "press the latch ?down and slide|push|move it ?to the|your left",
    "press ?down the latch and slide|push|move it ?to the|your left",
    "slide the latch to the left while|and pressing ?it ?down",
];

/// From the knob's keypoint, on its top, to the fingertips' tool point before they touch, and when they press, m.
const ABOVE_M: f64 = 0.022;
const PRESSED_M: f64 = -0.008;
/// The knob has sunk by this, m.
const SUNK_M: f64 = 0.006;
/// How far the knob is slid, and by how much it must have moved, m.
const SLIDE_M: f64 = 0.085;
const MOVED_M: f64 = 0.068;

impl Suite for Contact {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("contact_latch", &SAID)]
    }

    fn stages(&self, _id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        let knob = scene.find("latch")?;
        // The plate is long in the way that the knob slides; left is further along y.
        let [dx, dy] = axis(scene, "latch plate")?;
        let left = if dy > 0.0 { [dx, dy] } else { [-dx, -dy] };
        let fingers = Fingers::of(hand);
        let top_m = knob.position_m[2];
        let place = |by_m: f64, z_m: f64| along(knob.position_m, left, by_m, z_m);
        let mut press = go("press the latch down", place(0.0, top_m + PRESSED_M), AT);
        press.done = vec![format!(
            "return {} - keypoints[{}][2]",
            number(top_m - SUNK_M),
            knob.index
        )];
        let mut slide = go(
            "slide the latch to the left, pressed down",
            place(SLIDE_M, top_m + PRESSED_M),
            AT,
        );
        slide.done = travelled(knob, left, MOVED_M);
        let across = [left[1], -left[0]];
        let stages = [
            go("move above the latch", place(0.0, TRAVEL_Z_M), OVER),
            go("go down to the latch", place(0.0, top_m + ABOVE_M), AT),
            press,
            slide,
        ];
        let stages = stages.map(|stage| turned(holding(stage, fingers), across, hand));
        Some(stages.to_vec())
    }
}
