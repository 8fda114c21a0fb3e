//! A bar that is pulled while it is gripped.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use super::steps::{AT, OVER, along, direction, go, releasing, travelled, turned};
use crate::program::{number, tensor};
use crate::recipes::grasp::{Fingers, and_done, closed};
use crate::recipes::terms::TRAVEL_Z_M;
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
/// How far a step leads while the bar is pulled, m, and how many points of the trajectory are held to that.
const SLOW_M: f64 = 0.006;
const NEAR_POINTS: usize = 7;
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
        // Slowly, a little further at each step than where the hand is: a bar that is torn slips out.
        let guidance = vec![
            format!("base = {}", tensor(place(0.0, low_z_m))),
            format!("out = {}", tensor([dx, dy, 0.0])),
            format!("near = action_sequence[:, :{NEAR_POINTS}]"),
            "steps = torch.arange(near.shape[1])".to_owned(),
            "begun = ((near[:, :1] - base) * out).sum(dim=-1)".to_owned(),
            format!(
                "far = torch.clamp(begun + {} * steps, max={})",
                number(SLOW_M),
                number(PULL_M)
            ),
            "distance = torch.norm(near - base - far.unsqueeze(-1) * out, dim=-1)".to_owned(),
            format!("left = torch.relu({} - begun).mean()", number(PULL_M)),
        ];
        let mut pull = StageText {
            description: "pull the bar and hold it".to_owned(),
            guidance,
            reward: "-2.000 * distance.mean() - 0.500 * left".to_owned(),
            done: travelled(bar, outwards, MOVED_M),
        };
        if fingers == Fingers::Guided {
            (hold, pull) = (closed(hold, false), closed(pull, false));
            let [least, most] = AROUND_BAR_M.map(number);
            and_done(
                &mut hold,
                &format!("torch.minimum(gripper_width_m - {least}, {most} - gripper_width_m)"),
            );
        }
        // Fingers that have just met press no more than they weigh.
        let press = StageText {
            description: "press the bar between the fingers".to_owned(),
            ..hold.clone()
        };
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
            turned(press),
            turned(pull),
        ])
    }
}
