//! The language's rules, told from the compiler's own table, so that prompt and compiler agree.

use tiller_reward::{Access, CompileOptions, HandAccess, Limits, Workspace, operations};

/// Every function that a program may call, a line for each module.
#[must_use]
pub fn operation_list() -> String {
    let mut lines: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for operation in operations() {
        match lines
            .iter_mut()
            .find(|(module, _)| *module == operation.module)
        {
            Some((_, names)) => names.push(operation.name),
            None => lines.push((operation.module, vec![operation.name])),
        }
    }
    let mut out = String::new();
    for (module, names) in lines {
        let label = match module {
            "tensor" => "- methods of a tensor: ".to_owned(),
            "F" => "- `F` (torch.nn.functional): ".to_owned(),
            module => format!("- `{module}`: "),
        };
        out.push_str(&label);
        out.push_str(&names.join(" "));
        out.push('\n');
    }
    out
}

/// The parameters that functions may have beside the usual ones, a line each: what the policy can do.
pub(super) fn hand_parameters(options: &CompileOptions) -> String {
    let (points, hand) = (options.points, options.hand);
    let mut lines = Vec::new();
    if hand.gripper == Access::Guide {
        lines.push(format!(
            "- `gripper`: shape (1, {points}), how far the gripper is open along the path, a share: 0 closed to 1 \
             fully open. Weigh it against metres: `-0.1 * gripper.mean()` closes. A guidance function that needs it has it as a further parameter: \
             `def stageI_guidance(keypoints, action_sequence, gripper):`."
        ));
    }
    if hand.rotations == Access::Guide {
        lines.push(format!(
            "- `rotations`: shape (1, {points}, 3, 3), how the hand is turned along the path; the columns \
             are its axes in the robot's frame: `rotations[..., :, 2]` points along the fingers, \
             `rotations[..., :, 1]` from one finger to the other. A further parameter of guidance."
        ));
    }
    lines.push(format!(
        "- `keypoint_axes`: shape ({}, 3, 3), how the things lie that the keypoints are on, as far as the camera \
         sees them: the columns are a thing's axes, `keypoint_axes[i, :, 0]` along its longest side, \
         `keypoint_axes[i, :, 2]` along its thinnest; the robot's own for what looks alike from every side. A \
         further parameter of both.",
        options.keypoints
    ));
    lines.push(
        "- `gripper_width_m`: shape (), the measured width between the fingers in metres, and `rotation`: \
         shape (3, 3), how the hand is turned now. Further parameters of done: \
         `def stageI_done(keypoints, start_keypoints, end_effector, gripper_width_m):`."
            .to_owned(),
    );
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Who moves the fingers and turns the hand, and what a reward should ask of them.
pub(super) fn hand_advice(hand: HandAccess) -> String {
    let fingers = if hand.gripper == Access::Guide {
        "The gripper goes where `gripper` is rewarded: ask for it only where it matters. To grasp, come down \
         around the thing with open fingers until its middle is between the fingertips, then close them around it in a stage of its own, which is done \
         when `gripper_width_m` says that something is between them, and keep them closed while it is \
         carried. Elsewhere leave the fingers to the policy."
    } else {
        "The gripper is not yours to command: the policy opens and closes it by itself once the end \
         effector is in the right place."
    };
    let turns = if hand.rotations == Access::Guide {
        " The hand turns where `rotations` is rewarded: ask for it where the thing's direction matters."
    } else {
        ""
    };
    format!("{fingers}{turns}")
}

/// The box in which the arm works, in words.
pub(super) fn workspace(workspace: &Workspace) -> String {
    let axis = |name: &str, index: usize| {
        format!(
            "{name} {:.2} to {:.2}",
            workspace.min_m[index], workspace.max_m[index]
        )
    };
    format!("{}, {} and {}", axis("x", 0), axis("y", 1), axis("z", 2))
}

/// Stages that we ask for at most; far fewer than the compiler takes.
pub(super) fn max_stages(limits: &Limits) -> usize {
    limits.stages.min(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_told_with_its_module() {
        let list = operation_list();
        let mut count = 0;
        for operation in operations() {
            let label = match operation.module {
                "tensor" => "- methods of a tensor: ".to_owned(),
                module => format!("- `{module}`"),
            };
            let mut lines = list.lines().filter(|line| line.starts_with(&label));
            let is_told =
                lines.any(|line| line.split([' ', ':']).any(|word| word == operation.name));
            assert!(
                is_told,
                "{}.{} is missing",
                operation.module, operation.name
            );
            count += 1;
        }
        assert!(count > 400, "only {count} operations");
        assert!(
            list.len() < 16_000,
            "{} bytes are too many for a prompt",
            list.len()
        );
    }
}
