//! A checked program as the message that carries it.

use tiller_core::{MAX_DESCRIPTION, clip};
use tiller_messages::RewardProgram;
use tiller_reward::Program;

/// The part of the message that the program itself says: what its stages are for, which of them say
/// themselves when they are done, and which leave the policy unguided.
#[must_use]
pub fn program_message(
    program: &Program,
    text: &str,
    source: &str,
    points: usize,
) -> RewardProgram {
    let stages = &program.stages;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    RewardProgram {
        points: number(points),
        num_stages: number(stages.len()),
        text: text.to_owned(),
        source: source.to_owned(),
        descriptions: stages
            .iter()
            .map(|stage| clip(&stage.description, MAX_DESCRIPTION).into_owned())
            .collect(),
        has_done: stages.iter().map(|stage| stage.done.is_some()).collect(),
        unguided: stages.iter().map(|stage| stage.is_unguided).collect(),
        ..Default::default()
    }
}

/// Drops all stages but the last one that guides; a program without guidance keeps its last.
pub fn keep_last_stage(program: &mut Program) {
    let guides = program.stages.iter().rposition(|stage| !stage.is_unguided);
    let keep = guides.unwrap_or(program.stages.len().saturating_sub(1));
    program.stages.truncate(keep + 1);
    program.stages.drain(..keep);
}

#[cfg(test)]
mod tests {
    use tiller_reward::{CompileOptions, compile};

    use super::*;

    #[test]
    fn the_last_stage_that_guides_is_kept() {
        let stage = |i: usize, reward: &str| {
            format!(
                "# Stage {i}: part {i}\ndef stage{i}_guidance(keypoints, action_sequence):\n    \
                 return {reward}\n\n\n"
            )
        };
        let near = "-(action_sequence[:, -1] - keypoints[0]).norm(dim=-1).mean()";
        let kept = |rewards: &[&str]| {
            let stages = rewards.iter().enumerate();
            let text: String = stages.map(|(i, reward)| stage(i + 1, reward)).collect();
            let text = format!("import torch\n\nnum_stages = {}\n\n\n{text}", rewards.len());
            let mut program = compile(&text, &CompileOptions::new(1, 9))
                .map_err(|errors| errors.render(&text))
                .unwrap();
            keep_last_stage(&mut program);
            let message = program_message(&program, &text, "test", 9);
            assert_eq!(message.num_stages, 1);
            message.descriptions
        };
        assert_eq!(kept(&[near]), ["part 1"]);
        assert_eq!(kept(&[near, near]), ["part 2"]);
        assert_eq!(kept(&[near, near, "0"]), ["part 2"]);
    }
}
