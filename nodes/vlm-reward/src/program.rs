//! A checked program as a message.

use tiller_core::{MAX_DESCRIPTION, MAX_INSTRUCTION, clip};
use tiller_messages::{Keypoints, RewardProgram};
use tiller_vlm::SceneKeypoint;
use tiller_vlm::repair::Written;

/// The keypoints as an author sees them.
pub(crate) fn scene(keypoints: &Keypoints) -> Vec<SceneKeypoint> {
    let rows = keypoints.names.iter().zip(keypoints.points()).enumerate();
    rows.map(|(index, (name, position_m))| SceneKeypoint {
        index,
        name: name.clone(),
        position_m,
    })
    .collect()
}

/// The message for a program; `seq` is its number.
pub(crate) fn message(
    written: &Written,
    instruction: &str,
    generation: u32,
    seq: u64,
) -> RewardProgram {
    let stages = &written.program.stages;
    RewardProgram {
        seq,
        generation,
        instruction: clip(instruction, MAX_INSTRUCTION).into_owned(),
        num_stages: u32::try_from(stages.len()).unwrap_or(u32::MAX),
        text: written.text.clone(),
        source: written.source.clone(),
        descriptions: stages
            .iter()
            .map(|stage| clip(&stage.description, MAX_DESCRIPTION).into_owned())
            .collect(),
        has_done: stages.iter().map(|stage| stage.done.is_some()).collect(),
        unguided: stages.iter().map(|stage| stage.is_unguided).collect(),
    }
}
