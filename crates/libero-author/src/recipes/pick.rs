//! Picking a thing up and putting it somewhere, with the hand straight down.

use tiller_vlm::recipe::{
    Fingers, Hand, Margin, StageDraft, Target, distance, number, reach, stay, tensor, until_closed,
    until_open,
};

use super::measures::{Graspable, Offset};
use super::terms::{EXACT, Posture, ROUGH};
use crate::scene::Point;

/// How far above the grasp the hand stops first, and the least height there, m: above what stands on the table.
const ABOVE_M: f64 = 0.100;
const TRAVEL_Z_M: f64 = 0.161;
/// How far a thing is raised before it is carried, and when it counts as raised, m.
const RAISE_M: f64 = 0.120;
const RAISED_M: f64 = 0.040;
/// How far from where it grasps the hand may be for fingers that have closed to hold something, m.
const GRASPED: Margin = Margin {
    plane: 0.030,
    height: 0.025,
};
/// How far a held thing may be from where the hand grasps it, m: what is hidden of it moves its keypoint. On a long way
/// it may be hidden for so long that nothing can be said.
const SLACK_M: f64 = 0.050;
/// How gently a rim is gone along to where the demonstrations hold it.
const ALONG_RIM: f64 = 0.5;
const LOWERED: Margin = Margin {
    plane: 0.020,
    height: 0.018,
};
const OVER: Margin = Margin {
    plane: 0.018,
    height: 0.040,
};

/// A thing in a scene, and how it is grasped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'s> {
    pub(super) point: &'s Point,
    pub(super) how: Graspable,
}

/// Where something goes: the middle of a surface as a vector from where a keypoint was seen, and from how high it is
/// let go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal<'s> {
    pub(super) seen: &'s Point,
    pub(super) offset: Offset,
    pub(super) drop_m: f64,
    /// How far above that the way leads, at least.
    pub(super) above_m: f64,
}

impl Item<'_> {
    /// From the keypoint to the hand, of a ring to its middle at the hand's height.
    fn grip(&self) -> Offset {
        std::array::from_fn(|axis| self.how.origin[axis] + self.how.hold[axis])
    }

    fn grip_at(&self, height_m: f64) -> Target {
        let [x, y, z] = self.grip();
        let offset = tensor([x, y, z + height_m]);
        Target::new(&[format!(
            "target = keypoints[{}] + {offset}",
            self.point.index
        )])
    }

    /// A stage that brings the hand to where it grasps, or above it.
    fn approach(&self, description: &str, height_m: f64, margin: Margin) -> StageDraft {
        let target = self.grip_at(height_m);
        let Some(radius_m) = self.how.ring else {
            return reach(description, &target, margin);
        };
        let mut guidance = target.guidance;
        guidance.push("offset = action_sequence - target".to_owned());
        guidance.push(format!(
            "rim = torch.sqrt((offset[:, :, :2] * offset[:, :, :2]).sum(dim=-1) + 0.000001) - {}",
            number(radius_m)
        ));
        guidance.push(format!(
            "along = {} * (offset[:, :, :2] - {})",
            number(ALONG_RIM),
            tensor([0.0, radius_m])
        ));
        guidance.push("height = offset[:, :, 2]".to_owned());
        guidance.push(distance(
            "rim * rim + (along * along).sum(dim=-1) + height * height",
        ));
        let mut done = target.done;
        done.push("offset = end_effector - target".to_owned());
        StageDraft {
            description: description.to_owned(),
            guidance,
            reward: "-distance.mean()".to_owned(),
            done,
            margins: vec![
                format!(
                    "{} - torch.abs(torch.norm(offset[:2]) - {})",
                    number(margin.plane),
                    number(radius_m)
                ),
                format!("{} - torch.abs(offset[0])", number(0.35 * radius_m)),
                format!("{} - torch.abs(offset[2])", number(margin.height)),
            ],
        }
    }

    /// Fingers that close where the thing is.
    fn grasp(&self) -> StageDraft {
        let target = self.grip_at(0.0);
        let mut stage = stay(&format!("grasp the {}", self.name()), &target);
        stage.done = target.done;
        stage.done.push("offset = end_effector - target".to_owned());
        let aside = match self.how.ring {
            Some(radius_m) => format!("torch.abs(torch.norm(offset[:2]) - {})", number(radius_m)),
            None => "torch.norm(offset[:2])".to_owned(),
        };
        stage.margins = vec![
            format!("{} - {aside}", number(GRASPED.plane)),
            format!("{} - torch.abs(offset[2])", number(GRASPED.height)),
        ];
        until_closed(stage, self.how.width)
    }

    /// How much further from the hand the thing is than one that is held: what was lost on the way is noticed by it.
    fn lost(&self) -> String {
        let held_m = SLACK_M + self.how.ring.unwrap_or(0.0);
        format!(
            "lost = torch.relu(torch.norm(hand - keypoints[{}] - {}) - {})",
            self.point.index,
            tensor(self.grip()),
            number(held_m)
        )
    }

    fn name(&self) -> &str {
        &self.point.name
    }
}

/// Above it, down, the fingers closed, and up.
pub(super) fn take(item: &Item<'_>, hand: Hand) -> Vec<StageDraft> {
    let name = item.name();
    let grip_z_m = item.point.position_m[2] + item.grip()[2];
    let above_m = ABOVE_M.max(TRAVEL_Z_M - grip_z_m);
    let above = item.approach(&format!("stop above the {name}"), above_m, ROUGH);
    let down = item.approach(&format!("go down to the {name}"), 0.0, EXACT);
    vec![
        hand.upright(Fingers::Open, above),
        hand.upright(Fingers::Open, down),
        hand.upright(Fingers::Closed, item.grasp()),
        hand.upright(Fingers::Closed, lift(item, grip_z_m + RAISE_M)),
    ]
}

/// Straight up from where the hand is, until the thing has risen with it.
fn lift(item: &Item<'_>, to_z_m: f64) -> StageDraft {
    let (index, z) = (item.point.index, item.point.position_m[2]);
    let mut guidance = Target::new(&[item.lost()]).guidance;
    guidance.extend(straight_up(to_z_m, item.how.lifted));
    StageDraft {
        description: format!("lift the {}", item.name()),
        guidance,
        reward: "-lost - (missing + aside).mean()".to_owned(),
        done: Vec::new(),
        margins: vec![format!("keypoints[{index}][2] - {}", number(z + RAISED_M))],
    }
}

fn straight_up(to_z_m: f64, step_m: Option<f64>) -> Vec<String> {
    let to = number(to_z_m);
    let mut lines = match step_m {
        None => vec![format!(
            "missing = torch.relu({to} - action_sequence[:, :, 2])"
        )],
        Some(step_m) => vec![
            "steps = torch.arange(action_sequence.shape[1])".to_owned(),
            format!(
                "height = torch.clamp(action_sequence[:, :1, 2].detach() + {} * steps, max={to})",
                number(step_m)
            ),
            "missing = torch.abs(height - action_sequence[:, :, 2])".to_owned(),
        ],
    };
    lines.push("offset = action_sequence[:, :, :2] - action_sequence[:, :1, :2]".to_owned());
    lines.push("aside = torch.sqrt((offset * offset).sum(dim=-1) + 0.000001)".to_owned());
    lines
}

/// From the hand to over the place, down, and let go.
pub(super) fn put(item: &Item<'_>, place: &str, goal: &Goal<'_>, hand: Hand) -> Vec<StageDraft> {
    let name = item.name();
    let [.., hold_z] = item.how.hold;
    let release_m = goal.offset[2] + item.how.rests + goal.drop_m + hold_z;
    let end_z_m = goal.seen.position_m[2] + release_m;
    let carry_z_m = item.how.carried.max(end_z_m + goal.above_m);
    let grip_z_m = item.point.position_m[2] + item.grip()[2];
    let mut stages = Vec::new();
    if carry_z_m > grip_z_m + RAISE_M + 0.020 {
        let raise = StageDraft {
            description: format!("raise the {name}"),
            guidance: straight_up(carry_z_m, None),
            reward: "-(missing + aside).mean()".to_owned(),
            done: Vec::new(),
            margins: vec![format!("end_effector[2] - {}", number(carry_z_m - 0.030))],
        };
        stages.push(hand.upright(Fingers::Closed, raise));
    }
    let over = target(item, goal, number(carry_z_m));
    let at = target(item, goal, number(end_z_m));
    let carry = reach(&format!("carry the {name} to {place}"), &over, OVER);
    let lower = reach(&format!("lower the {name}"), &at, LOWERED);
    let release = stay(&format!("let go of the {name}"), &at);
    stages.extend([
        hand.upright(Fingers::Closed, carry),
        hand.upright(Fingers::Closed, lower),
        hand.upright(Fingers::Open, until_open(release)),
    ]);
    stages
}

/// Where the hand has to be for what it holds to be over the place, at a height: as far beside it as the hand is
/// beside the thing now, within what a grasp allows.
fn target(item: &Item<'_>, goal: &Goal<'_>, z: String) -> Target {
    let [x, y, _] = item.how.origin;
    let astray_m = item.how.astray;
    let mut lines = vec![format!(
        "held = hand[:2] - keypoints[{}][:2] - {}",
        item.point.index,
        tensor([x, y])
    )];
    match item.how.ring {
        Some(radius_m) => {
            lines.push("length = torch.sqrt((held * held).sum() + 0.000001)".to_owned());
            lines.push(format!(
                "held = held * torch.clamp(length, {}, {}) / length",
                number(radius_m - astray_m),
                number(radius_m + astray_m)
            ));
        }
        None => {
            let [x, y, _] = item.how.hold;
            lines.push(format!(
                "held = torch.minimum(torch.maximum(held, {}), {})",
                tensor([x - astray_m, y - astray_m]),
                tensor([x + astray_m, y + astray_m])
            ));
        }
    }
    let [x, y, _] = goal.offset;
    let place = if goal.seen.kind.is_loose() {
        format!("keypoints[{}][:2] + {}", goal.seen.index, tensor([x, y]))
    } else {
        // It stands still, and what the arm hides of it would only move its keypoint.
        let [seen_x, seen_y, _] = goal.seen.position_m;
        tensor([seen_x + x, seen_y + y])
    };
    lines.push(format!("place = {place} + held"));
    lines.push(format!(
        "target = torch.stack([place[0], place[1], torch.tensor({z})])"
    ));
    Target::new(&lines)
}
