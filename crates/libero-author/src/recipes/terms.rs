//! The few shapes that rewards and done functions take. All are distances in metres: 0 is perfect and nothing is
//! above it.

use tiller_reward::{Access, HandAccess};
use tiller_vlm::recipe::{StageDraft as StageText, number};

/// What open fingers count where they should be closed, and the other way round, m.
const FINGERS_M: f64 = 0.050;
/// Points of a trajectory in which they count: what a chunk does later is planned anew before it comes to that, and a
/// policy would rather change its fingers later.
const SOON: &str = "[:, 1:9]";
/// What a hand counts that points the opposite way, m: little beside a way of centimetres.
const TURN_M: f64 = 0.050;
/// Cosine of the angle by which a hand may point past what is asked for.
const FACES: f64 = 0.930;
/// Fingers are open beyond this, m.
const OPEN_WIDTH_M: f64 = 0.070;

/// How near to a place counts as there, m.
#[derive(Debug, Clone, Copy)]
pub(super) struct Margin {
    pub(super) plane: f64,
    pub(super) height: f64,
}

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

/// What the fingers are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fingers {
    Open,
    Closed,
}

/// The hand as a policy has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    pub(super) access: HandAccess,
}

/// A stage that brings the hand to `target`, which the lines define from `keypoints` and `hand`.
pub(super) fn reach(description: &str, target: &[String], margin: Margin) -> StageText {
    let mut guidance = of_guidance(target);
    guidance.push("offset = action_sequence - target".to_owned());
    guidance.push(distance("(offset * offset).sum(dim=-1)"));
    let mut done = of_done(target);
    done.push("offset = end_effector - target".to_owned());
    StageText {
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

/// A stage in which the hand stays where it is, for fingers that close or open, but for the height that the last line
/// of `target` has: a target that hangs on a thing would run away along the table with what the fingers push.
pub(super) fn stay(description: &str, target: &[String]) -> StageText {
    let mut guidance = of_guidance(target);
    guidance.extend([
        "offset = action_sequence[:, :, :2] - action_sequence[:, :1, :2]".to_owned(),
        "height = action_sequence[:, :, 2] - target[2]".to_owned(),
        distance("(offset * offset).sum(dim=-1) + height * height"),
    ]);
    StageText {
        description: description.to_owned(),
        guidance,
        reward: "-distance.mean()".to_owned(),
        done: Vec::new(),
        margins: Vec::new(),
    }
}

/// A smooth length from a sum of squares.
pub(super) fn distance(squares: &str) -> String {
    format!("distance = torch.sqrt({squares} + 0.000001)")
}

/// The lines with the hand where a trajectory begins.
pub(super) fn of_guidance(target: &[String]) -> Vec<String> {
    with_hand(target, "action_sequence[0, 0].detach()")
}

/// The lines with the hand where it is.
pub(super) fn of_done(target: &[String]) -> Vec<String> {
    with_hand(target, "end_effector")
}

fn with_hand(target: &[String], hand: &str) -> Vec<String> {
    let reads = target.iter().any(|line| line.contains("hand"));
    let first = reads.then(|| format!("hand = {hand}"));
    first.into_iter().chain(target.iter().cloned()).collect()
}

impl Hand {
    /// Asks for the fingers where rewards may.
    pub(super) fn with(self, fingers: Fingers, mut stage: StageText) -> StageText {
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

    /// Asks for the fingers, and for a hand that points straight down, where rewards may: a policy that opens drawers
    /// too would turn it on the way otherwise.
    pub(super) fn upright(self, fingers: Fingers, stage: StageText) -> StageText {
        self.with(fingers, self.facing(DOWN, stage))
    }

    /// Asks for the hand to point down by that much, rad, and else to the right (-y), with fingers that open across,
    /// where rewards may.
    pub(super) fn facing(self, down_rad: f64, mut stage: StageText) -> StageText {
        if self.access.rotations == Access::Guide {
            for (name, of, column) in [
                ("points", [-down_rad.cos(), -down_rad.sin()], 2),
                ("opens", [-down_rad.sin(), down_rad.cos()], 1),
            ] {
                let [y, z] = of.map(number);
                stage.guidance.push(format!(
                    "{name} = {y} * rotations[:, :, 1, {column}] + {z} * rotations[:, :, 2, {column}]"
                ));
                stage.reward = format!(
                    "{} - {} * (1.0 - {name}).mean()",
                    stage.reward,
                    number(TURN_M)
                );
            }
        }
        stage
    }
}

/// The stage is over only when the hand points as [`Hand::facing`] asks for.
pub(super) fn until_facing(down_rad: f64, mut stage: StageText) -> StageText {
    let [y, z] = [-down_rad.cos(), -down_rad.sin()].map(number);
    stage.margins.push(format!(
        "{y} * rotation[1, 2] + {z} * rotation[2, 2] - {}",
        number(FACES)
    ));
    stage
}

/// The stage is over only when the fingers have let go.
pub(super) fn until_open(mut stage: StageText) -> StageText {
    stage
        .margins
        .push(format!("gripper_width_m - {}", number(OPEN_WIDTH_M)));
    stage
}

/// The stage is over only when the fingers are as near to each other as what is between them lets them.
pub(super) fn until_closed(mut stage: StageText, width_m: f64) -> StageText {
    stage
        .margins
        .push(format!("{} - gripper_width_m", number(width_m)));
    stage
}

impl Hand {
    /// Asks for the direction along x and y in which the fingers open, where rewards may.
    pub(super) fn turned(self, [x, y]: [f64; 2], mut stage: StageText) -> StageText {
        if self.access.rotations == Access::Guide {
            stage.guidance.push(format!(
                "turned = {} * rotations[:, :, 0, 1] + {} * rotations[:, :, 1, 1]",
                number(x),
                number(y)
            ));
            stage.reward = format!(
                "{} - {} * (1.0 - turned).mean()",
                stage.reward,
                number(TURN_M)
            );
        }
        stage
    }
}
