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
    /// What every stage stays away from.
    pub(crate) keep_out: Vec<KeepOut>,
}

/// One stage: what to reward and when it is over.
#[derive(Debug, Clone)]
pub(crate) struct StageText {
    pub(crate) description: String,
    /// Assignments of `stageI_guidance(keypoints, action_sequence)`.
    pub(crate) guidance: Vec<String>,
    /// The value that it returns, m: at most 0, and 0 is perfect.
    pub(crate) reward: String,
    /// Lines of the body of `stageI_done(keypoints, start_keypoints, end_effector)`.
    pub(crate) done: Vec<String>,
}

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
            let more = further("gripper", stage.guidance.iter().chain([&stage.reward]));
            writeln!(
                f,
                "def stage{number}_guidance(keypoints, action_sequence{more}):"
            )?;
            write_body(f, &stage.guidance)?;
            self.write_reward(f, &stage.reward)?;
            let more = further("gripper_width_m", &stage.done);
            writeln!(
                f,
                "\n\ndef stage{number}_done(keypoints, start_keypoints, end_effector{more}):"
            )?;
            write_body(f, &stage.done)?;
        }
        Ok(())
    }
}

/// The parameter as it stands after the usual ones, if a line reads it.
fn further<'l>(name: &str, lines: impl IntoIterator<Item = &'l String>) -> String {
    if lines.into_iter().any(|line| line.contains(name)) {
        format!(", {name}")
    } else {
        String::new()
    }
}

impl ProgramText {
    fn write_reward(&self, f: &mut fmt::Formatter<'_>, reward: &str) -> fmt::Result {
        if self.keep_out.is_empty() {
            return writeln!(f, "    return {reward}");
        }
        writeln!(f, "    reward = {reward}")?;
        for keep_out in &self.keep_out {
            let depth = number(keep_out.depth_m);
            let square = keep_out.radius_m * keep_out.radius_m;
            writeln!(
                f,
                "    apart = action_sequence - keypoints[{}]",
                keep_out.keypoint
            )?;
            writeln!(
                f,
                "    close = torch.exp(-(apart * apart).sum(dim=-1) / {square:.6})"
            )?;
            writeln!(f, "    reward = reward - {depth} * close.mean()")?;
        }
        writeln!(f, "    return reward")
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
