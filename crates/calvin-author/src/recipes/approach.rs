//! Coming in to a place along a line, with CALVIN's fingertips.

use tiller_reward::{Access, HandAccess};
use tiller_vlm::recipe::{StageDraft, distance, number, tensor};

use super::measures::{Offset, TOOL_TO_TIP_M};

/// Beside its line by more than this the hand goes out again before it comes over, m, and so much the farther for each
/// metre more.
const STRAIGHT_M: f64 = 0.012;
const OUT: f64 = 4.0;

/// How near to its line a hand must be, and how near to the place along it, m.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within {
    pub(super) aside: f64,
    pub(super) along: f64,
}

/// A way in.
#[derive(Debug, Clone)]
pub(super) struct Approach {
    /// Lines that define `place` for the fingertips, `(3,)`, from `keypoints`.
    pub(super) place: Vec<String>,
    /// A unit vector in the base frame, out of the place: the side from which the hand comes in.
    pub(super) entry: Offset,
    /// How far out the hand waits, m.
    pub(super) hover_m: f64,
    pub(super) access: HandAccess,
}

impl Approach {
    /// To where the hand waits.
    pub(super) fn before(&self, description: &str, within: Within) -> StageDraft {
        let out = format!("out = {}", number(self.hover_m));
        self.stage(description, out, self.hover_m, within)
    }

    /// From there to the place, straight along the line.
    pub(super) fn inward(&self, description: &str, within: Within) -> StageDraft {
        let out = format!(
            "out = torch.clamp({} * (aside.detach() - {}), min=0.0, max={})",
            number(OUT),
            number(STRAIGHT_M),
            number(self.hover_m)
        );
        self.stage(description, out, 0.0, within)
    }

    fn stage(&self, description: &str, out: String, done_out_m: f64, within: Within) -> StageDraft {
        let mut guidance = self.place.clone();
        guidance.extend(tips_of_guidance(self.access));
        guidance.extend(self.beside());
        guidance.push(out);
        guidance.push(distance("aside * aside + (height - out) * (height - out)"));
        let mut done = self.place.clone();
        done.extend(tips_of_done());
        done.extend(self.beside());
        StageDraft {
            description: description.to_owned(),
            guidance,
            reward: "-distance.mean()".to_owned(),
            done,
            margins: vec![
                format!("{} - aside", number(within.aside)),
                format!(
                    "{} - torch.abs(height - {})",
                    number(within.along),
                    number(done_out_m)
                ),
            ],
        }
    }

    /// How far out the fingertips are, `height`, and how far beside the line, `aside`.
    fn beside(&self) -> [String; 5] {
        [
            format!("entry = {}", tensor(self.entry)),
            "offset = tips - place".to_owned(),
            "height = (offset * entry).sum(dim=-1)".to_owned(),
            "beside = offset - height.unsqueeze(-1) * entry".to_owned(),
            "aside = torch.sqrt((beside * beside).sum(dim=-1) + 0.000001)".to_owned(),
        ]
    }
}

/// `points`, where the hand points, and `tips`, its fingertips. Where a reward sees no orientations the hand points
/// straight down; a hand is not turned so that its tips come nearer.
pub(super) fn tips_of_guidance(access: HandAccess) -> [String; 2] {
    let points = if access.rotations == Access::Absent {
        tensor([0.0, 0.0, -1.0])
    } else {
        "rotations[:, :, :, 2].detach()".to_owned()
    };
    with_tips(&points, "action_sequence")
}

/// The same for a done function.
pub(super) fn tips_of_done() -> [String; 2] {
    with_tips("rotation[:, 2]", "end_effector")
}

fn with_tips(points: &str, tool: &str) -> [String; 2] {
    [
        format!("points = {points}"),
        format!("tips = {tool} + {} * points", number(TOOL_TO_TIP_M)),
    ]
}
