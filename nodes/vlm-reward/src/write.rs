//! From instruction and keypoints to a program that has passed every check.

use tiller_messages::{Keypoints, RewardProgram};
use tiller_reward::{CompileOptions, Program, compile};
use tiller_vlm::{Answer, Author, AuthorRequest, SceneKeypoint};

use crate::config::Settings;

/// Why there is no program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoProgram {
    /// A word for machines: `refused` or `invalid_program`.
    pub(crate) code: &'static str,
    /// The reason, for people.
    pub(crate) text: String,
}

/// Asks the author and checks what it answers.
pub(crate) fn write(
    author: &dyn Author,
    settings: &Settings,
    keypoints: &Keypoints,
    seq: u64,
) -> Result<RewardProgram, NoProgram> {
    let scene = keypoints.names.iter().zip(keypoints.points()).enumerate();
    let request = AuthorRequest {
        instruction: settings.instruction.clone(),
        keypoints: scene
            .map(|(index, (name, position_m))| SceneKeypoint {
                index,
                name: name.clone(),
                position_m,
            })
            .collect(),
    };
    let answer = author.author(&request).map_err(|error| NoProgram {
        code: "refused",
        text: format!(
            "instruction `{}` is not understood: {error}",
            settings.instruction
        ),
    })?;
    let options = CompileOptions::new(keypoints.names.len(), settings.horizon + 1);
    let program = compile(&answer.text, &options).map_err(|diagnostics| NoProgram {
        code: "invalid_program",
        text: format!(
            "the program of author `{}` does not pass the checks:\n{}",
            answer.source,
            diagnostics.render(&answer.text)
        ),
    })?;
    Ok(message(
        settings,
        keypoints.generation,
        &answer,
        &program,
        seq,
    ))
}

fn message(
    settings: &Settings,
    generation: u32,
    answer: &Answer,
    program: &Program,
    seq: u64,
) -> RewardProgram {
    let stages = &program.stages;
    RewardProgram {
        seq,
        generation,
        instruction: settings.instruction.clone(),
        num_stages: u32::try_from(stages.len()).unwrap_or(u32::MAX),
        text: answer.text.clone(),
        source: answer.source.clone(),
        descriptions: stages
            .iter()
            .map(|stage| stage.description.clone())
            .collect(),
        has_done: stages.iter().map(|stage| stage.done.is_some()).collect(),
        unguided: stages.iter().map(|stage| stage.is_unguided).collect(),
    }
}
