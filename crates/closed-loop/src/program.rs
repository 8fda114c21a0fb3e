//! A checked program as the message that carries it.

use tiller_core::{ActionLayout, ArmColumns, MAX_DESCRIPTION, clip};
use tiller_messages::{ProgramContract, RewardProgram};
use tiller_reward::{Access, CompileOptions, HandAccess, Program};
use tiller_steering::Guide;

/// What of the hand rewards may read and move, for actions of which guidance moves what `guide` says.
#[must_use]
pub fn hand_access(layout: &ActionLayout, guide: Guide) -> HandAccess {
    let access = |is_there: bool, is_guided: bool| match (is_there, is_guided) {
        (false, _) => Access::Absent,
        (true, false) => Access::Read,
        (true, true) => Access::Guide,
    };
    let turns = match &layout.arm {
        ArmColumns::Pose { rotation, .. } => rotation.is_some(),
        ArmColumns::Joints(_) => true,
    };
    HandAccess {
        rotations: access(turns, guide.rotation),
        gripper: access(layout.gripper.is_some(), guide.gripper),
    }
}

/// What programs are compiled for: a scene of `keypoints` and the sampler's contract.
#[must_use]
pub fn compile_options(contract: &ProgramContract, keypoints: usize) -> CompileOptions {
    let guide = Guide {
        rotation: contract.guides_rotation,
        gripper: contract.guides_gripper,
    };
    CompileOptions {
        hand: hand_access(&contract.layout, guide),
        ..CompileOptions::new(keypoints, contract.points as usize)
    }
}

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
    use tiller_core::{RotationColumns, RotationKind};
    use tiller_reward::compile;

    use super::*;

    #[test]
    fn rewards_may_ask_for_what_the_actions_have_and_move_what_guidance_may() {
        let mut contract = ProgramContract {
            points: 17,
            layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
            ..Default::default()
        };
        let hand = |contract: &ProgramContract| {
            let options = compile_options(contract, 3);
            assert_eq!((options.keypoints, options.points), (3, 17));
            (options.hand.rotations, options.hand.gripper)
        };
        assert_eq!(hand(&contract), (Access::Absent, Access::Read));
        contract.guides_gripper = true;
        assert_eq!(hand(&contract), (Access::Absent, Access::Guide));
        contract.layout.gripper = None;
        let ArmColumns::Pose { rotation, .. } = &mut contract.layout.arm else {
            panic!("a policy of poses");
        };
        *rotation = Some(RotationColumns {
            columns: vec![3, 4, 5],
            kind: RotationKind::RotationVector,
        });
        assert_eq!(hand(&contract), (Access::Read, Access::Absent));
        contract.layout.arm = ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6]);
        contract.guides_rotation = true;
        assert_eq!(hand(&contract), (Access::Guide, Access::Absent));
    }

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
