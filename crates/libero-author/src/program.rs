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
    /// Assignments of `stageI_guidance(keypoints, action_sequence)`.
    pub(crate) guidance: Vec<String>,
    /// The value that it returns, m: at most 0, and 0 is perfect.
    pub(crate) reward: String,
    /// Assignments of `stageI_done(keypoints, start_keypoints, end_effector)`.
    pub(crate) done: Vec<String>,
    /// It is over when all of these are at or above 0.
    pub(crate) margins: Vec<String>,
}

/// Parameters beside the usual ones, by name; each stands in a signature where a line reads it.
const OF_GUIDANCE: [&str; 2] = ["rotations", "gripper"];
const OF_DONE: [&str; 2] = ["rotation", "gripper_width_m"];

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
            let more = further(OF_GUIDANCE, stage.guidance.iter().chain([&stage.reward]));
            writeln!(
                f,
                "def stage{number}_guidance(keypoints, action_sequence{more}):"
            )?;
            write_body(f, &stage.guidance)?;
            writeln!(f, "    return {}", stage.reward)?;
            let more = further(OF_DONE, stage.done.iter().chain(&stage.margins));
            writeln!(
                f,
                "\n\ndef stage{number}_done(keypoints, start_keypoints, end_effector{more}):"
            )?;
            write_body(f, &stage.done)?;
            let (last, before) = stage.margins.split_last().ok_or(fmt::Error)?;
            let all = before.iter().rfold(last.clone(), |rest, margin| {
                format!("torch.minimum({margin}, {rest})")
            });
            writeln!(f, "    return {all}")?;
        }
        Ok(())
    }
}

/// The parameters that a line reads, as they stand after the usual ones.
fn further<'l>(names: [&str; 2], lines: impl IntoIterator<Item = &'l String>) -> String {
    let lines: Vec<&String> = lines.into_iter().collect();
    let reads = |name: &&str| {
        let mut words = lines
            .iter()
            .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        words.any(|word| word == *name)
    };
    let read = names.into_iter().filter(reads);
    read.map(|name| format!(", {name}")).collect()
}

fn write_body(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    lines.iter().try_for_each(|line| writeln!(f, "    {line}"))
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

    #[test]
    fn parameters_are_those_that_are_read() {
        let line = ["facing = rotations[:, :, 1, 2]".to_owned()];
        assert_eq!(further(OF_GUIDANCE, &line), ", rotations");
        assert_eq!(further(OF_DONE, &line), "");
    }
}
