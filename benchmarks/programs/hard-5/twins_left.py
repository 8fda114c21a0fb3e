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
import torch.nn.functional as F

num_stages = 4

W = torch.linspace(0.2, 1.0, 16)
W = W / W.sum()


def dist(path, target):
    return torch.sqrt(((path - target) ** 2).sum(dim=-1) + 1e-8)


# The robot's left is +y, so the left red block is the one further to +y (row 9 now).
def choose_left(keypoints):
    ys = torch.stack([keypoints[8, 1], keypoints[9, 1]])
    w = torch.softmax(ys / 0.004, dim=0)
    return w[0] * keypoints[8] + w[1] * keypoints[9]


# Stage 1: go over the left red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = choose_left(keypoints) + torch.tensor([0.0, 0.0, 0.14])
    low = F.relu(0.12 - path[:, 2]).mean()
    return -(W * dist(path, target)).sum() - low


def stage1_done(keypoints, start_keypoints, end_effector):
    target = choose_left(keypoints) + torch.tensor([0.0, 0.0, 0.14])
    return 0.025 - dist(end_effector, target)


# Stage 2: come down around it, fingers open
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = choose_left(keypoints)
    side = dist(path[:, :2], target[:2]).mean()
    return -(W * dist(path, target)).sum() - side - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - dist(end_effector, choose_left(keypoints))


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -dist(path, choose_left(keypoints)).mean() - 0.1 * (W * gripper[0, 1:]).sum()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.062 - gripper_width_m, gripper_width_m - 0.01)


# Stage 4: lift it
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -(W * F.relu(0.2 - path[:, 2])).sum() - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return choose_left(keypoints)[2] - choose_left(start_keypoints)[2] - 0.12
