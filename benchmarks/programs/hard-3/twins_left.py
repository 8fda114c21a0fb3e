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

num_stages = 4

# Of the two red blocks (keypoints 8 and 9) the left one is the one with the larger y.
def left_red(keypoints):
    weight = torch.sigmoid((keypoints[9, 1] - keypoints[8, 1]) / 0.005)
    return weight * keypoints[9] + (1.0 - weight) * keypoints[8]

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

# Stage 1: move above the left red block
def stage1_guidance(keypoints, action_sequence):
    target = left_red(keypoints) + torch.tensor([0.0, 0.0, 0.1])
    return -smooth_norm(action_sequence[0, 1:] - target).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = left_red(keypoints) + torch.tensor([0.0, 0.0, 0.1])
    return 0.02 - smooth_norm(end_effector - target)

# Stage 2: come down with the fingers open
def stage2_guidance(keypoints, action_sequence, gripper):
    target = left_red(keypoints) + torch.tensor([0.0, 0.0, -0.01])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    target = left_red(keypoints) + torch.tensor([0.0, 0.0, -0.01])
    return 0.015 - smooth_norm(end_effector - target)

# Stage 3: close the fingers around the block
def stage3_guidance(keypoints, action_sequence, gripper):
    target = left_red(keypoints) + torch.tensor([0.0, 0.0, -0.01])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - 0.15 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift the block
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.abs(0.2 - path[:, 2]).mean() - 0.15 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return left_red(keypoints)[2] - left_red(start_keypoints)[2] - 0.1
