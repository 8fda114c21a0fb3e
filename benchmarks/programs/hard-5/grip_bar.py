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
import torch.nn.functional as F

num_stages = 4

W = torch.linspace(0.3, 1.0, 16)
W = W / W.sum()


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


def axis(keypoints):
    a = (keypoints[6] - keypoints[7]) * torch.tensor([1.0, 1.0, 0.0])
    return a / torch.sqrt((a ** 2).sum() + 1e-6)


# Stage 1: come over the bar
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.09])
    return -(W * dist(action_sequence[0, 1:], target)).sum()


def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.09])
    return 0.018 - dist(end_effector, target)


# Stage 2: come down around the bar with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    side = dist(path[:, :2], target[:2]).mean()
    return -(W * dist(path, target)).sum() - side - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    return 0.012 - dist(end_effector, target)


# Stage 3: close the fingers on it
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    return -dist(action_sequence[0, 1:], target).mean() - 0.15 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.05 - gripper_width_m, gripper_width_m - 0.006)


# Stage 4: pull the bar out along its axis and hold it
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    rel = path - keypoints[7]
    out = (rel * axis(keypoints)).sum(dim=-1)
    off = dist(rel[:, :2], out[:, None] * axis(keypoints)[:2])
    level = torch.abs(path[:, 2] - keypoints[6, 2] + 0.005)
    return (-(W * F.relu(0.26 - out)).sum() - off.mean() - level.mean()
            - 0.15 * gripper[0, 1:].mean())


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    moved = ((keypoints[6] - start_keypoints[6]) * axis(start_keypoints)).sum() - 0.13
    held = gripper_width_m - 0.005
    return torch.minimum(moved, held)
