//! What every stage stays away from, and numbers in the text of a program.

use tiller_vlm::text::StageText;

/// A keypoint that the end effector is to stay away from.
///
/// The term is `-depth_m * exp(-(d / radius_m)^2)`, averaged over the trajectory, with d the distance
/// to the keypoint: smooth everywhere, and never below `-depth_m`. Its steepest slope is
/// `0.86 * depth_m / radius_m`, at `0.71 * radius_m`; where that exceeds the slope of the stage's own
/// reward, which is a distance and has slope 1 or 2, the way leads around.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct KeepOut {
    pub(crate) keypoint: usize,
    pub(crate) radius_m: f64,
    pub(crate) depth_m: f64,
}

impl KeepOut {
    /// Has every stage stay away from all of these.
    pub(crate) fn apply(all: &[Self], stages: &mut [StageText]) {
        if all.is_empty() {
            return;
        }
        for stage in stages {
            let reward = std::mem::replace(&mut stage.reward, "reward".to_owned());
            let lines = &mut stage.guidance;
            lines.push(format!("reward = {reward}"));
            for keep_out in all {
                let depth = number(keep_out.depth_m);
                let square = keep_out.radius_m * keep_out.radius_m;
                lines.extend([
                    format!("apart = action_sequence - keypoints[{}]", keep_out.keypoint),
                    format!("close = torch.exp(-(apart * apart).sum(dim=-1) / {square:.6})"),
                    format!("reward = reward - {depth} * close.mean()"),
                ]);
            }
        }
    }
}

/// A number as it stands in a program: to the millimetre, without a negative zero.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" {
        "0.000".to_owned()
    } else {
        text
    }
}

/// `torch.tensor([x, y, z])`.
pub(crate) fn tensor(values: [f64; 3]) -> String {
    let [x, y, z] = values.map(number);
    format!("torch.tensor([{x}, {y}, {z}])")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_tidy() {
        assert_eq!(number(-0.0001), "0.000");
        assert_eq!(
            tensor([0.5, -0.25, 0.0314]),
            "torch.tensor([0.500, -0.250, 0.031])"
        );
    }
}
