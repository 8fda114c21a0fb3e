//! A long block, to be lifted by a hand that is turned across it.

use tiller_reward::HandAccess;
use tiller_vlm::text::StageText;

use super::Suite;
use super::steps::{axis, turned};
use crate::recipes::grasp::{self, Fingers};
use crate::scene::Scene;

pub(super) struct Yaw;

const SAID: [&str; 1] = ["lift|raise|grab|pick ?up the long ?orange block|bar|beam"];

impl Suite for Yaw {
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("yaw_lift", &SAID)]
    }

    fn stages(&self, _id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>> {
        let lengthwise = axis(scene, "long block")?;
        let mut points = scene.points().filter(|point| point.object == "long block");
        let (first, second) = (points.next()?, points.next()?);
        let stages = grasp::lift(first, Fingers::of(hand));
        // It is grasped between its keypoints. Fingers open along the hand's y axis: its x axis lies along the block.
        let of_first = format!("keypoints[{}]", first.index);
        let between = format!("(0.5 * {of_first} + 0.5 * keypoints[{}])", second.index);
        let at_middle = |mut stage: StageText| {
            for line in stage.guidance.iter_mut().chain(&mut stage.done) {
                *line = line.replace(&of_first, &between);
            }
            turned(stage, lengthwise, hand)
        };
        Some(stages.into_iter().map(at_middle).collect())
    }
}
