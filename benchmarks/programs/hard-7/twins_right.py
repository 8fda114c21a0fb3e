# Instruction: lift the right one of the red blocks
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

num_stages = 4

# y points to the robot's left, so the right one of the red blocks is the one with the smaller
# y: row 8 (y 0.041), named "red block 1".
TARGET = 8
OTHER = 9


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


def at(keypoints, dz):
    return keypoints[TARGET] + torch.tensor([0.0, 0.0, dz])


# Stage 1: go above the right red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    return -distance(path, at(keypoints, 0.12)).mean() - torch.relu(0.10 - path[:, 2]).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - distance(end_effector, at(keypoints, 0.12))


# Stage 2: come straight down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = at(keypoints, -0.009)
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    there = 0.013 - distance(end_effector, at(keypoints, -0.009))
    return torch.minimum(there, gripper_width_m - 0.04)


# Stage 3: close the fingers around it
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -distance(path, at(keypoints, -0.009)).mean() - 0.08 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.055 - gripper_width_m, gripper_width_m - 0.015)


# Stage 4: lift it with closed fingers
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    drift = distance(path[:, :2], keypoints[TARGET, :2]).mean()
    return -torch.relu(0.20 - path[:, 2]).mean() - 0.3 * drift - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    lifted = keypoints[TARGET, 2] - start_keypoints[TARGET, 2] - 0.10
    return torch.minimum(lifted, gripper_width_m - 0.012)
