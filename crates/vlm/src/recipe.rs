//! The few shapes that rewards and done functions of authors' recipes take. All are distances in metres: 0 is
//! perfect and nothing is above it, so that progress has a fixed end.

use tiller_reward::{Access, HandAccess};

use crate::text;

/// What open fingers count where they should be closed, and the other way round, m.
const FINGERS_M: f64 = 0.050;
/// Points of a trajectory in which they count: what a chunk does later is planned anew before it comes to that, and a
/// policy would rather change its fingers later.
const SOON: &str = "[:, 1:9]";
/// What a hand counts that points the opposite way, m: little beside a way of centimetres.
const TURN_M: f64 = 0.050;
/// Fingers are open beyond this, m.
const OPEN_WIDTH_M: f64 = 0.070;

/// One stage as recipes make it: what to reward and when it is over.
#[derive(Debug, Clone)]
pub struct StageDraft {
    /// What it does, without a full stop.
    pub description: String,
    /// Assignments of `stageI_guidance(keypoints, action_sequence)`.
    pub guidance: Vec<String>,
    /// The value that it returns, m: at most 0, and 0 is perfect.
    pub reward: String,
    /// Assignments of `stageI_done(keypoints, start_keypoints, end_effector)`.
    pub done: Vec<String>,
    /// It is over when all of these are at or above 0.
    pub margins: Vec<String>,
}

impl From<StageDraft> for text::StageText {
    fn from(stage: StageDraft) -> Self {
        let mut done = stage.done;
        let least = stage
            .margins
            .into_iter()
            .rev()
            .reduce(|rest, margin| format!("torch.minimum({margin}, {rest})"));
        done.extend(least.map(|least| format!("return {least}")));
        Self {
            description: stage.description,
            guidance: stage.guidance,
            reward: stage.reward,
            done,
        }
    }
}

/// A number as it stands in a program: to a tenth of a millimetre, without a negative zero.
#[must_use]
pub fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    if text == "-0.0000" {
        "0.0000".to_owned()
    } else {
        text
    }
}

/// `torch.tensor([a, b, ..])`.
#[must_use]
pub fn tensor<const N: usize>(values: [f64; N]) -> String {
    format!("torch.tensor([{}])", values.map(number).join(", "))
}

/// How near to a place counts as there, m.
#[derive(Debug, Clone, Copy)]
pub struct Margin {
    /// Along the table.
    pub plane: f64,
    /// Up and down.
    pub height: f64,
}

/// What the fingers are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fingers {
    /// As far apart as they go.
    Open,
    /// Against each other or what is between them.
    Closed,
}

/// An axis of the hand, by its column in the hand's orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Along which the fingers open.
    Fingers = 1,
    /// Where the hand points.
    Points = 2,
}

/// Where the hand is to be: lines that define `target`, `(3,)` or in a guidance `(B, T, 3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// In `stageI_guidance`.
    pub guidance: Vec<String>,
    /// In `stageI_done`.
    pub done: Vec<String>,
}

impl Target {
    /// By lines that both functions understand, from `keypoints` and `hand`: where the hand is, or where a trajectory
    /// begins.
    #[must_use]
    pub fn new(lines: &[String]) -> Self {
        let reads = lines.iter().any(|line| line.contains("hand"));
        let with = |hand: &str| {
            let first = reads.then(|| format!("hand = {hand}"));
            first.into_iter().chain(lines.iter().cloned()).collect()
        };
        Self {
            guidance: with("action_sequence[0, 0].detach()"),
            done: with("end_effector"),
        }
    }

    /// A place that is known, m.
    #[must_use]
    pub fn fixed(place_m: [f64; 3]) -> Self {
        Self::new(&[format!("target = {}", tensor(place_m))])
    }
}

/// A stage that brings the hand to a target.
#[must_use]
pub fn reach(description: &str, target: &Target, margin: Margin) -> StageDraft {
    let mut guidance = target.guidance.clone();
    guidance.push("offset = action_sequence - target".to_owned());
    guidance.push(distance("(offset * offset).sum(dim=-1)"));
    let mut done = target.done.clone();
    done.push("offset = end_effector - target".to_owned());
    StageDraft {
        description: description.to_owned(),
        guidance,
        reward: "-distance.mean()".to_owned(),
        done,
        margins: vec![
            format!("{} - torch.norm(offset[:2])", number(margin.plane)),
            format!("{} - torch.abs(offset[2])", number(margin.height)),
        ],
    }
}

/// A stage in which the hand stays where it is, for fingers that close or open, but for the target's height: a target
/// that hangs on a thing would run away along the table with what the fingers push.
#[must_use]
pub fn stay(description: &str, target: &Target) -> StageDraft {
    let mut guidance = target.guidance.clone();
    guidance.extend([
        "offset = action_sequence[:, :, :2] - action_sequence[:, :1, :2]".to_owned(),
        "height = action_sequence[:, :, 2] - target[..., 2]".to_owned(),
        distance("(offset * offset).sum(dim=-1) + height * height"),
    ]);
    StageDraft {
        description: description.to_owned(),
        guidance,
        reward: "-distance.mean()".to_owned(),
        done: Vec::new(),
        margins: Vec::new(),
    }
}

/// A stage in which the hand stays where it is.
#[must_use]
pub fn hold(description: &str) -> StageDraft {
    StageDraft {
        description: description.to_owned(),
        guidance: vec![
            "offset = action_sequence - action_sequence[:, :1]".to_owned(),
            distance("(offset * offset).sum(dim=-1)"),
        ],
        reward: "-distance.mean()".to_owned(),
        done: Vec::new(),
        margins: Vec::new(),
    }
}

/// A smooth length from a sum of squares.
#[must_use]
pub fn distance(squares: &str) -> String {
    format!("distance = torch.sqrt({squares} + 0.000001)")
}

/// The hand as a policy has it: what a stage may ask of it beside its place.
#[derive(Debug, Clone, Copy)]
pub struct Hand {
    /// What rewards may read and move.
    pub access: HandAccess,
}

impl Hand {
    /// Asks for the fingers where rewards may.
    #[must_use]
    pub fn with(self, fingers: Fingers, mut stage: StageDraft) -> StageDraft {
        if self.access.gripper == Access::Guide {
            let missing = match fingers {
                Fingers::Open => format!("(1.0 - gripper{SOON})"),
                Fingers::Closed => format!("gripper{SOON}"),
            };
            stage.reward = format!(
                "{} - {} * {missing}.mean()",
                stage.reward,
                number(FINGERS_M)
            );
        }
        stage
    }

    /// Asks for an axis of the hand along a unit vector in the base frame, under a name of its own, where rewards may.
    #[must_use]
    pub fn along(
        self,
        name: &str,
        axis: Axis,
        direction: [f64; 3],
        mut stage: StageDraft,
    ) -> StageDraft {
        if self.access.rotations == Access::Guide {
            let sum = dot(direction, |row| {
                format!("rotations[:, :, {row}, {}]", axis as usize)
            });
            stage.guidance.push(format!("{name} = {sum}"));
            stage.reward = format!(
                "{} - {} * (1.0 - {name}).mean()",
                stage.reward,
                number(TURN_M)
            );
        }
        stage
    }
}

/// The stage is over only when an axis of the hand is as near as that to a unit vector in the base frame, rad.
#[must_use]
pub fn until_along(
    axis: Axis,
    direction: [f64; 3],
    within_rad: f64,
    mut stage: StageDraft,
) -> StageDraft {
    let sum = dot(direction, |row| {
        format!("rotation[{row}, {}]", axis as usize)
    });
    stage
        .margins
        .push(format!("{sum} - {}", number(within_rad.cos())));
    stage
}

/// The sum of products with a vector's components, without those that are 0.
fn dot(vector: [f64; 3], with: impl Fn(usize) -> String) -> String {
    let rows = (0..3).filter(|row| vector[*row].abs() > 5e-5);
    let terms = rows.map(|row| format!("{} * {}", number(vector[row]), with(row)));
    terms.collect::<Vec<_>>().join(" + ")
}

/// The stage is over only when the fingers have let go.
#[must_use]
pub fn until_open(mut stage: StageDraft) -> StageDraft {
    stage
        .margins
        .push(format!("gripper_width_m - {}", number(OPEN_WIDTH_M)));
    stage
}

/// The stage is over only when there is something between the fingers.
#[must_use]
pub fn until_held(mut stage: StageDraft, least_width_m: f64) -> StageDraft {
    stage
        .margins
        .push(format!("gripper_width_m - {}", number(least_width_m)));
    stage
}

/// The stage is over only when the fingers are as near to each other as what is between them lets them.
#[must_use]
pub fn until_closed(mut stage: StageDraft, width_m: f64) -> StageDraft {
    stage
        .margins
        .push(format!("{} - gripper_width_m", number(width_m)));
    stage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_tidy() {
        assert_eq!(number(-0.00001), "0.0000");
        assert_eq!(
            tensor([0.5, -0.25, 0.03141]),
            "torch.tensor([0.5000, -0.2500, 0.0314])"
        );
    }

    #[test]
    fn a_stage_is_over_when_all_its_margins_are() {
        let margin = Margin {
            plane: 0.02,
            height: 0.03,
        };
        let target = Target::new(&["target = hand".to_owned()]);
        let stage = until_closed(reach("go", &target, margin), 0.01);
        let done = text::StageText::from(stage).done;
        assert_eq!(done[0], "hand = end_effector");
        assert_eq!(
            done.last().unwrap(),
            "return torch.minimum(0.0200 - torch.norm(offset[:2]), torch.minimum(0.0300 - \
             torch.abs(offset[2]), 0.0100 - gripper_width_m))"
        );
    }

    #[test]
    fn only_what_rewards_may_move_is_asked_for() {
        let stage = || stay("hold", &Target::fixed([0.0; 3]));
        let blind = Hand {
            access: HandAccess::POSITIONS,
        };
        let down = [0.0, 0.0, -1.0];
        let asked = blind.with(Fingers::Closed, stage());
        let asked = blind.along("points", Axis::Points, down, asked);
        assert_eq!(asked.reward, stage().reward);
        let whole = Hand {
            access: HandAccess::WHOLE,
        };
        let asked = whole.along("points", Axis::Points, down, stage());
        assert_eq!(
            asked.guidance.last().unwrap(),
            "points = -1.0000 * rotations[:, :, 2, 2]"
        );
    }
}
