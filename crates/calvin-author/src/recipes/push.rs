//! Pushing with closed fingers: the handles, the switch, the button, and blocks that slide.

use tiller_vlm::recipe::{
    Axis, Fingers, Hand, StageDraft, distance, number, tensor, until_along, until_closed,
};

use super::approach::{Approach, Within, tips_of_done, tips_of_guidance};
use super::measures::{CLOSED_WIDTH_M, Offset, middle, plus, times};
use crate::scene::Point;

/// On the way: what is left of it the next stage corrects.
const BEFORE: Within = Within {
    aside: 0.030,
    along: 0.035,
};
const IN: Within = Within {
    aside: 0.020,
    along: 0.020,
};
/// How near to what is asked for the hand must point before it comes in, rad.
const POINTS_WITHIN_RAD: f64 = 0.30;

/// When a push has gone far enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Enough {
    /// The thing's keypoint has moved so far, m.
    Thing(f64),
    /// The fingertips have come so far from where they stood ready, m: what they push hides, or moves little.
    Tips(f64),
}

/// How something is pushed; fingertips and vectors in the base frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Push<'p> {
    pub(super) thing: &'p Point,
    /// From the thing's middle to where the fingertips stand ready, m.
    pub(super) beside_m: Offset,
    /// Unit vectors: where the thing goes, and from where the hand comes in.
    pub(super) way: Offset,
    pub(super) entry: Offset,
    /// How far along `entry` the hand waits before it comes in, m.
    pub(super) hover_m: f64,
    /// How far the fingertips are tilted forwards (+y) from straight down, rad.
    pub(super) tilt_rad: f64,
    /// How far the fingertips go from where they stood ready, m.
    pub(super) travel_m: f64,
    pub(super) enough: Enough,
    /// Whether the thing is looked for where its keypoint is now, and not where it was seen first.
    pub(super) tracked: bool,
}

impl Push<'_> {
    /// Before it, in, and on against it; what they are called.
    pub(super) fn stages(&self, words: [&str; 3], hand: Hand) -> Vec<StageDraft> {
        let [before, inward, on] = words;
        let approach = self.approach(hand);
        let before = until_closed(approach.before(before, BEFORE), CLOSED_WIDTH_M);
        let before = until_along(Axis::Points, down(self.tilt_rad), POINTS_WITHIN_RAD, before);
        let inward = approach.inward(inward, IN);
        let stages = [before, inward, self.on(on, hand)].into_iter();
        stages.map(|stage| self.posture(hand, stage)).collect()
    }

    /// The fingertips out from where the push ended.
    pub(super) fn leave(&self, description: &str, hand: Hand) -> StageDraft {
        let mut approach = self.approach(hand);
        let far_m = match self.enough {
            Enough::Thing(_) => self.travel_m,
            Enough::Tips(enough_m) => enough_m,
        };
        let end_m = plus(self.ready_m(), times(far_m, self.way));
        approach.place = vec![format!("place = {}", tensor(end_m))];
        let within = Within {
            aside: 0.060,
            along: 0.040,
        };
        self.posture(hand, approach.before(description, within))
    }

    fn approach(&self, hand: Hand) -> Approach {
        let place = if self.tracked {
            let offset = plus(middle(self.thing), self.beside_m);
            format!("keypoints[{}] + {}", self.thing.index, tensor(offset))
        } else {
            tensor(self.ready_m())
        };
        Approach {
            place: vec![format!("place = {place}")],
            entry: self.entry,
            hover_m: self.hover_m,
            access: hand.access,
        }
    }

    /// Where the fingertips stand ready beside where the thing was seen first.
    fn ready_m(&self) -> Offset {
        let offset = plus(middle(self.thing), self.beside_m);
        plus(self.thing.position_m, offset)
    }

    fn on(&self, description: &str, hand: Hand) -> StageDraft {
        let ready_m = self.ready_m();
        let end_m = plus(ready_m, times(self.travel_m, self.way));
        let mut guidance = tips_of_guidance(hand.access).to_vec();
        guidance.push(format!("offset = tips - {}", tensor(end_m)));
        guidance.push(distance("(offset * offset).sum(dim=-1)"));
        let (mut done, from_m, enough_m) = match self.enough {
            Enough::Thing(enough_m) => {
                let moved = format!("moved = keypoints[{}]", self.thing.index);
                (vec![moved], self.thing.position_m, enough_m)
            }
            Enough::Tips(enough_m) => {
                let mut lines = tips_of_done().to_vec();
                lines.push("moved = tips".to_owned());
                (lines, ready_m, enough_m)
            }
        };
        done.push(format!("moved = moved - {}", tensor(from_m)));
        StageDraft {
            description: description.to_owned(),
            guidance,
            reward: "-distance.mean()".to_owned(),
            done,
            margins: vec![format!(
                "(moved * {}).sum() - {}",
                tensor(self.way),
                number(enough_m)
            )],
        }
    }

    /// Closed fingers, side by side along x.
    fn posture(&self, hand: Hand, stage: StageDraft) -> StageDraft {
        let stage = hand.along("down", Axis::Points, down(self.tilt_rad), stage);
        let stage = hand.along("opens", Axis::Fingers, across(0.0), stage);
        hand.with(Fingers::Closed, stage)
    }
}

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
