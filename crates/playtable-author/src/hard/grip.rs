//! A bar that is pulled while it is gripped.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use super::steps::{AT, OVER, along, direction, go, releasing, turned};
use crate::program::{number, tensor};
use crate::recipes::grasp::{Fingers, and_done, closed};
use crate::recipes::terms::{DISTANCE, EVEN};
use crate::recipes::terms::{TRAVEL_Z_M, constant, distance_to_target};
use crate::scene::Scene;

pub(super) struct Grip;

const SAID: [&str; 3] = [
    "pull the bar out of its|the housing and hold it ?there",
    "pull the bar out and hold it ?there",
    "pull out the bar and hold it ?there",
];

/// Below the bar's keypoint, on its top, the middle of its flanks, m.
const FLANK_M: f64 = 0.013;
/// Fingers that are this far apart have closed around a bar, m: it is thinner than any block.
const AROUND_BAR_M: [f64; 2] = [0.012, 0.028];
/// How far the bar is pulled, and by how much it must have moved, m.
const PULL_M: f64 = 0.075;
const MOVED_M: f64 = 0.062;

impl Suite for Grip {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("grip_bar", &SAID)]
    }

    fn stages(&self, _id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        let (bar, housing) = (scene.find("bar")?, scene.find("housing")?);
        let outwards = direction(housing.position_m, bar.position_m)?;
        let fingers = Fingers::of(hand);
        let low_z_m = bar.position_m[2] - FLANK_M;
        let place = |by_m: f64, z_m: f64| along(bar.position_m, outwards, by_m, z_m);
        let turned = |stage: StageText| turned(stage, outwards, hand);
        let mut hold = go("close the fingers on the bar", place(0.0, low_z_m), AT);
        let [dx, dy] = outwards;
        let mut guidance = vec![constant(place(PULL_M, low_z_m))];
        guidance.extend(distance_to_target(EVEN));
        let mut pull = StageText {
            description: "pull the bar and hold it".to_owned(),
            guidance,
            reward: DISTANCE.to_owned(),
            done: vec![
                format!(
                    "travel = keypoints[{}] - {}",
                    bar.index,
                    tensor(bar.position_m)
                ),
                format!(
                    "return {} * travel[0] + {} * travel[1] - {}",
                    number(dx),
                    number(dy),
                    number(MOVED_M)
                ),
            ],
        };
        if fingers == Fingers::Guided {
            (hold, pull) = (closed(hold, false), closed(pull, false));
            let [least, most] = AROUND_BAR_M.map(number);
            and_done(
                &mut hold,
                &format!("torch.minimum(gripper_width_m - {least}, {most} - gripper_width_m)"),
            );
        }
        let above = go(
            "stop above the bar with open fingers",
            place(0.0, TRAVEL_Z_M),
            OVER,
        );
        let around = go(
            "go down around the bar with open fingers",
            place(0.0, low_z_m),
            AT,
        );
        Some(vec![
            turned(releasing(above, fingers)),
            turned(releasing(around, fingers)),
            turned(hold),
            turned(pull),
        ])
    }
}
