# Instruction: press the latch down and slide it to the left
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the latch.
# Keypoint 10 is the latch carriage.
# Keypoint 11 is the latch plate.

import torch
import torch.nn.functional as F

num_stages = 3

W = torch.linspace(0.3, 1.0, 16)
W = W / W.sum()


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


# direction of the plate towards the robot's left, read off the picture
LEFT = F.normalize(torch.tensor([-0.28, 0.96, 0.0]), dim=0)


# Stage 1: come down onto the latch from above, fingers closed
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.02])
    side = dist(path[:, :2], target[:2])
    low = F.relu(target[2] + torch.clamp(2.0 * side, max=0.08) - path[:, 2])
    return -(W * dist(path, target)).sum() - 2.0 * low.mean() - 0.08 * gripper[0, 1:].mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.02])
    return 0.012 - dist(end_effector, target)


# Stage 2: press it down
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[9] + torch.tensor([0.0, 0.0, -0.02])
    return -(W * dist(path, target)).sum() - 0.08 * gripper[0, 1:].mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return start_keypoints[9, 2] - keypoints[9, 2] - 0.006


# Stage 3: slide it left along the plate while it stays pressed
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[9] + 0.05 * LEFT + torch.tensor([0.0, 0.0, -0.02])
    press = F.relu(path[:, 2] - (keypoints[9, 2] - 0.012)).mean()
    return -(W * dist(path, target)).sum() - press - 0.08 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector):
    return ((keypoints[9] - start_keypoints[9]) * LEFT).sum() - 0.07
