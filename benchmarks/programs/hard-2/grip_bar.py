# Instruction: pull the bar out of its housing and hold it
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the red block.
# Keypoint 4 is the blue block.
# Keypoint 5 is the pink block.
# Keypoint 6 is the bar.
# Keypoint 7 is the housing.

import torch

num_stages = 5

BAR = 6
HOUSING = 7


class G:
    hover = 0.10
    grip = 0.12
    pull = 0.14


def norm(v):
    return torch.sqrt((v * v).sum(dim=-1) + 1e-8)


def outward(keypoints):
    """Horizontal unit vector from the housing to the bar: the way the bar comes out."""
    d = keypoints[BAR, :2] - keypoints[HOUSING, :2]
    d = d / torch.sqrt((d * d).sum() + 1e-6)
    return torch.cat([d, torch.zeros(1)])


def grasp(keypoints):
    # a little lower than the mark, and a little towards the free end, clear of the housing
    return keypoints[BAR] + 0.005 * outward(keypoints) + torch.tensor([0.0, 0.0, -0.008])


# Stage 1: come over the visible end of the bar
def stage1_guidance(keypoints, action_sequence):
    target = grasp(keypoints) + torch.tensor([0.0, 0.0, G.hover])
    return -norm(action_sequence[0, 1:] - target).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    target = grasp(keypoints) + torch.tensor([0.0, 0.0, G.hover])
    return 0.018 - norm(end_effector - target)


# Stage 2: come down around the bar with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = grasp(keypoints)
    sideways = norm(path[:, :2] - target[:2]).mean()
    return -norm(path - target).mean() - sideways - G.grip * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.010 - norm(end_effector - grasp(keypoints))


# Stage 3: close the fingers on the bar
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -norm(path - grasp(keypoints)).mean() - G.grip * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.045 - gripper_width_m, gripper_width_m - 0.006)


# Stage 4: pull the bar straight out along its axis, fingers closed
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    out = outward(keypoints)
    rel = path - grasp(keypoints)
    along = (rel * out).sum(dim=-1)
    off = norm(rel - along[:, None] * out)
    return -torch.relu(0.10 - along).mean() - 2.0 * off.mean() - G.grip * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    moved = keypoints[BAR] - start_keypoints[BAR]
    return (moved * outward(start_keypoints)).sum() - G.pull


# Stage 5: hold it up, fingers closed
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(0.14 - path[:, 2]).mean() - G.grip * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    raised = keypoints[BAR, 2] - start_keypoints[BAR, 2] - 0.04
    return torch.minimum(raised, gripper_width_m - 0.006)
