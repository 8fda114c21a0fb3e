# Instruction: lift the left one of the red blocks
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the blue block.
# Keypoint 7 is the pink block.
# Keypoint 8 is the red block 1.
# Keypoint 9 is the red block 2.

import torch

# The robot looks along +x and +y is to its left, so the left red block is the one
# with the larger y: keypoint 9 (y = 0.158), not keypoint 8 (y = 0.041).

num_stages = 4

LEFT = 9
OTHER = 8
GRIP_WEIGHT = 0.08


def dist(points, target):
    return torch.sqrt(((points - target) ** 2).sum(dim=-1) + 1e-8)


def shifted(point, dz):
    return point + torch.tensor([0.0, 0.0, dz])


def avoid_other(path, keypoints):
    side = dist(path[:, :2], keypoints[OTHER, :2])
    low = torch.relu(0.10 - path[:, 2])
    return (torch.relu(0.07 - side) * low).mean()


# Stage 1: hover over the left red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    return -dist(path, shifted(keypoints[LEFT], 0.12)).mean() - 10.0 * avoid_other(path, keypoints)


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - dist(end_effector, shifted(keypoints[LEFT], 0.12))


# Stage 2: go straight down around the block with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = shifted(keypoints[LEFT], -0.006)
    along = dist(path, target).mean()
    sideways = dist(path[:, :2], target[:2]).mean()
    return -along - sideways - GRIP_WEIGHT * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.013 - dist(end_effector, shifted(keypoints[LEFT], -0.006))


# Stage 3: close the fingers on the block
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -dist(path, shifted(keypoints[LEFT], -0.006)).mean() - GRIP_WEIGHT * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    closed_enough = 0.06 - gripper_width_m
    not_empty = gripper_width_m - 0.015
    return torch.minimum(closed_enough, not_empty)


# Stage 4: lift the block and keep it gripped
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    height = torch.relu(0.20 - path[:, 2]).mean()
    sideways = dist(path[:, :2], keypoints[LEFT, :2]).mean()
    return -height - 0.5 * sideways - GRIP_WEIGHT * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    raised = keypoints[LEFT, 2] - start_keypoints[LEFT, 2] - 0.10
    held = gripper_width_m - 0.01
    return torch.minimum(raised, held)
