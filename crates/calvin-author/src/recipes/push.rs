//! Pushing with closed fingers: the handles, the switch, the button, and blocks that slide.

use tiller_vlm::recipe::{
    Axis, Fingers, Hand, Margin, StageDraft, Target, number, reach, until_along, until_closed,
};

use super::measures::{CLOSED_WIDTH_M, Offset, plus, times};
use super::tips::{across, down, tool_of};

/// How near to its line a hand may come in, m, and how near to what is asked for it must point, rad.
const BEFORE: Margin = Margin {
    plane: 0.025,
    height: 0.025,
};
const POINTS_WITHIN_RAD: f64 = 0.30;
/// As near to where it pushes from, m.
const IN: Margin = Margin {
    plane: 0.018,
    height: 0.018,
};
/// How wide a way is on both sides, in the reward and where it ends, m.
const ROUGH: Margin = Margin {
    plane: 0.040,
    height: 0.040,
};

/// How something is pushed; fingertips and vectors in the base frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Push {
    /// Where the fingertips stand ready beside the thing, m.
    pub(super) ready_m: Offset,
    /// Unit vectors: where the thing goes, and from where the hand comes in.
    pub(super) way: Offset,
    pub(super) entry: Offset,
    /// How far along `entry` the hand waits before it comes in, m.
    pub(super) hover_m: f64,
    /// How far the fingertips are tilted forwards (+y) from straight down, rad.
    pub(super) tilt_rad: f64,
    /// How far the fingertips go from where they stand ready, and how far they must have come, m.
    pub(super) travel_m: f64,
    pub(super) enough_m: f64,
}

impl Push {
    /// Before it, in, and on against it; what they are called.
    pub(super) fn stages(&self, words: [&str; 3], hand: Hand) -> Vec<StageDraft> {
        let at = |along: Offset| {
            let tip_m = plus(self.ready_m, along);
            Target::fixed(tool_of(tip_m, self.tilt_rad))
        };
        let [before, into, on] = words;
        let before = reach(before, &at(times(self.hover_m, self.entry)), BEFORE);
        let before = until_closed(before, CLOSED_WIDTH_M);
        let before = until_along(Axis::Points, down(self.tilt_rad), POINTS_WITHIN_RAD, before);
        let into = reach(into, &at([0.0; 3]), IN);
        let mut on = reach(on, &at(times(self.travel_m, self.way)), ROUGH);
        // By the hand: what it pushes hides behind it.
        let end = tool_of(
            plus(self.ready_m, times(self.enough_m, self.way)),
            self.tilt_rad,
        );
        let sum: Vec<_> = (0..3)
            .filter(|axis| self.way[*axis].abs() > 0.01)
            .map(|axis| {
                let share = number(self.way[axis]);
                format!("{share} * (end_effector[{axis}] - {})", number(end[axis]))
            })
            .collect();
        on.margins = vec![sum.join(" + ")];
        on.done.clear();
        let stages = [before, into, on].into_iter();
        stages.map(|stage| self.posture(hand, stage)).collect()
    }

    /// The fingertips back where the hand came in from.
    pub(super) fn leave(&self, description: &str, hand: Hand) -> StageDraft {
        let tip_m = plus(self.ready_m, times(self.hover_m, self.entry));
        let stage = reach(
            description,
            &Target::fixed(tool_of(tip_m, self.tilt_rad)),
            ROUGH,
        );
        self.posture(hand, stage)
    }

    /// Closed fingers, side by side along x.
    fn posture(&self, hand: Hand, stage: StageDraft) -> StageDraft {
        let stage = hand.along("points", Axis::Points, down(self.tilt_rad), stage);
        let stage = hand.along("opens", Axis::Fingers, across(0.0), stage);
        hand.with(Fingers::Closed, stage)
    }
}
