//! The text of a program, stage by stage: what authors without a network write.

use std::fmt;

use crate::author::{Answer, AuthorError};
use crate::recipe::StageDraft;

/// Most stages of a program.
pub const MAX_STAGES: usize = 16;

/// A program in the making; [`fmt::Display`] writes the PyTorch text.
#[derive(Debug, Clone)]
pub struct ProgramText {
    /// The task in canonical words.
    pub title: String,
    /// What is known of the scene, one comment line each.
    pub notes: Vec<String>,
    /// The stages, in order.
    pub stages: Vec<StageText>,
}

/// One stage: what to reward and when it is over.
#[derive(Debug, Clone)]
pub struct StageText {
    /// What it does, without a full stop.
    pub description: String,
    /// Assignments of `stageI_guidance(keypoints, action_sequence)`.
    pub guidance: Vec<String>,
    /// The value that it returns, m: at most 0, and 0 is perfect.
    pub reward: String,
    /// Lines of the body of `stageI_done(keypoints, start_keypoints, end_effector)`.
    pub done: Vec<String>,
}

impl ProgramText {
    /// The program of goals, in canonical words, that are reached one after the other.
    ///
    /// # Errors
    /// [`AuthorError::SeveralTasks`] for more than [`MAX_STAGES`].
    pub fn of_goals(
        instruction: &str,
        goals: &[impl fmt::Display],
        mut notes: Vec<String>,
        stages: Vec<StageDraft>,
    ) -> Result<Self, AuthorError> {
        let goals: Vec<String> = goals.iter().map(ToString::to_string).collect();
        if stages.len() > MAX_STAGES {
            return Err(AuthorError::SeveralTasks {
                instruction: instruction.to_owned(),
                found: goals,
            });
        }
        notes.dedup();
        Ok(Self {
            title: goals.join(", then "),
            notes,
            stages: stages.into_iter().map(Into::into).collect(),
        })
    }

    /// The answer of an author that needs no network, who has understood the title.
    #[must_use]
    pub fn answer(self) -> Answer {
        Answer {
            text: self.to_string(),
            source: "embedded".to_owned(),
            understood: Some(self.title),
        }
    }
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
            let more = further(OF_DONE, &stage.done);
            writeln!(
                f,
                "\n\ndef stage{number}_done(keypoints, start_keypoints, end_effector{more}):"
            )?;
            write_body(f, &stage.done)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_those_that_are_read() {
        let line = ["facing = rotations[:, :, 1, 2]".to_owned()];
        assert_eq!(further(OF_GUIDANCE, &line), ", rotations");
        assert_eq!(further(OF_DONE, &line), "");
    }
}
