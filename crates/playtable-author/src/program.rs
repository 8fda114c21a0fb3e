//! The text of a program, stage by stage.

use std::fmt;

/// A program in the making; [`fmt::Display`] writes the PyTorch text.
#[derive(Debug, Clone)]
pub(crate) struct ProgramText {
    /// The task in canonical words.
    pub(crate) title: String,
    /// What is known of the scene, one comment line each.
    pub(crate) notes: Vec<String>,
    pub(crate) stages: Vec<StageText>,
}

/// One stage: what to reward and when it is over.
#[derive(Debug, Clone)]
pub(crate) struct StageText {
    pub(crate) description: String,
    /// Lines of the body of `stageI_guidance(keypoints, action_sequence)`.
    pub(crate) guidance: Vec<String>,
    /// Lines of the body of `stageI_done(keypoints, start_keypoints, end_effector)`.
    pub(crate) done: Vec<String>,
}

impl fmt::Display for ProgramText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Task: {}.", self.title)?;
        for note in &self.notes {
            writeln!(f, "# {note}")?;
        }
        writeln!(
            f,
            "# Metres in the robot base frame: x away from the robot, y left, z up."
        )?;
        writeln!(f, "\nimport torch\n\nnum_stages = {}", self.stages.len())?;
        for (index, stage) in self.stages.iter().enumerate() {
            let number = index + 1;
            writeln!(f, "\n\n# Stage {number}: {}.", stage.description)?;
            writeln!(f, "def stage{number}_guidance(keypoints, action_sequence):")?;
            write_body(f, &stage.guidance)?;
            writeln!(
                f,
                "\n\ndef stage{number}_done(keypoints, start_keypoints, end_effector):"
            )?;
            write_body(f, &stage.done)?;
        }
        Ok(())
    }
}

fn write_body(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    lines.iter().try_for_each(|line| writeln!(f, "    {line}"))
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
