//! What LIBERO's hand is asked for, and how near is near.

use tiller_vlm::recipe::{Axis, Fingers, Hand, Margin, StageDraft, until_along};

/// How far a hand may point past what is asked for, rad.
const FACES_RAD: f64 = 0.3764;

/// On the way to somewhere else.
pub(super) const ROUGH: Margin = Margin {
    plane: 0.025,
    height: 0.050,
};
/// Where the fingers are about to close: keypoints that stray by a centimetre stray here and in the reward alike.
pub(super) const EXACT: Margin = Margin {
    plane: 0.014,
    height: 0.010,
};

/// How far down a hand points that points straight down, rad.
pub(super) const DOWN: f64 = std::f64::consts::FRAC_PI_2;

/// How the hand is held.
pub(super) trait Posture {
    /// Asks for the hand to point down by that much, rad, and else to the right (-y), with fingers that open across,
    /// where rewards may.
    fn facing(self, down_rad: f64, stage: StageDraft) -> StageDraft;

    /// Asks for the fingers, and for a hand that points straight down, where rewards may: a policy that opens drawers
    /// too would turn it on the way otherwise.
    fn upright(self, fingers: Fingers, stage: StageDraft) -> StageDraft;
}

impl Posture for Hand {
    fn facing(self, down_rad: f64, stage: StageDraft) -> StageDraft {
        let opens = [0.0, -down_rad.sin(), down_rad.cos()];
        let stage = self.along("points", Axis::Points, points(down_rad), stage);
        self.along("opens", Axis::Fingers, opens, stage)
    }

    fn upright(self, fingers: Fingers, stage: StageDraft) -> StageDraft {
        self.with(fingers, self.facing(DOWN, stage))
    }
}

/// The stage is over only when the hand points as [`Posture::facing`] asks for.
pub(super) fn until_facing(down_rad: f64, stage: StageDraft) -> StageDraft {
    until_along(Axis::Points, points(down_rad), FACES_RAD, stage)
}

fn points(down_rad: f64) -> [f64; 3] {
    [0.0, -down_rad.cos(), -down_rad.sin()]
}
