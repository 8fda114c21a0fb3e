//! A block behind a post.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use crate::program::number;
use crate::recipes::grasp::{self, Fingers};
use crate::scene::{Point, Scene};

pub(super) struct Obstacle;

const SAID: [&str; 4] = [
    "lift|raise|grab the red block|cube without touching|hitting|bumping ?into the post",
    "lift|raise|grab the red block|cube around the post",
    "lift|raise|grab the red block|cube and|but avoid the post",
    "lift|raise|grab the red block|cube and|but dont touch the post",
];

/// How the post is stayed away from: minus `0.15 m * exp(-(d / 6 cm)^2)`, with d the distance to its axis whatever
/// the height, averaged over the trajectory. It is steeper than a distance up to 6 cm from it, as far as a closed
/// hand reaches.
const RADIUS_M: f64 = 0.060;
const DEPTH_M: f64 = 0.150;

impl Suite for Obstacle {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("obstacle_lift", &SAID)]
    }

    fn stages(&self, _id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        let (block, post) = (scene.find("red block")?, scene.find("post")?);
        let mut stages = grasp::lift(block, Fingers::of(hand));
        stages.iter_mut().for_each(|stage| stay_away(stage, post));
        Some(stages)
    }
}

fn stay_away(stage: &mut StageText, post: &Point) {
    let reward = std::mem::replace(&mut stage.reward, "reward".to_owned());
    stage.guidance.extend([
        format!("reward = {reward}"),
        format!(
            "apart = action_sequence[:, :, :2] - keypoints[{}][:2]",
            post.index
        ),
        format!(
            "close = torch.exp(-(apart * apart).sum(dim=-1) / {:.6})",
            RADIUS_M * RADIUS_M
        ),
        format!("reward = reward - {} * close.mean()", number(DEPTH_M)),
    ]);
}
