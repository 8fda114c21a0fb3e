//! Stages as recipes make them, and numbers in their text.

use tiller_vlm::text;

/// One stage: what to reward and when it is over.
#[derive(Debug, Clone)]
pub(crate) struct StageText {
    pub(crate) description: String,
    /// Assignments of `stageI_guidance(keypoints, action_sequence)`.
    pub(crate) guidance: Vec<String>,
    /// The value that it returns, m: at most 0, and 0 is perfect.
    pub(crate) reward: String,
    /// Assignments of `stageI_done(keypoints, start_keypoints, end_effector)`.
    pub(crate) done: Vec<String>,
    /// It is over when all of these are at or above 0.
    pub(crate) margins: Vec<String>,
}

impl From<StageText> for text::StageText {
    fn from(stage: StageText) -> Self {
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
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    if text == "-0.0000" {
        "0.0000".to_owned()
    } else {
        text
    }
}

/// `torch.tensor([a, b, ..])`.
pub(crate) fn tensor<const N: usize>(values: [f64; N]) -> String {
    format!("torch.tensor([{}])", values.map(number).join(", "))
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
}
