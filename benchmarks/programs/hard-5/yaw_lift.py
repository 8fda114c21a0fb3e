# Instruction: lift the long block
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the long block.

import torch
import torch.nn.functional as F

num_stages = 4

W = torch.linspace(0.3, 1.0, 16)
W = W / W.sum()


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


def over(p, dz):
    return p + torch.tensor([0.0, 0.0, dz])


# Stage 1: hover over the long block with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -(W * dist(path, over(keypoints[8], 0.1))).sum() - 0.05 * (1.0 - gripper[0, 1:]).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - dist(end_effector, over(keypoints[8], 0.1))


# Stage 2: come straight down around it
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = over(keypoints[8], -0.003)
    side = dist(path[:, :2], target[:2]).mean()
    return -(W * dist(path, target)).sum() - side - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.014 - dist(end_effector, over(keypoints[8], -0.003))


# Stage 3: close the fingers on it
def stage3_guidance(keypoints, action_sequence, gripper):
    return -dist(action_sequence[0, 1:], over(keypoints[8], -0.003)).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.062 - gripper_width_m, gripper_width_m - 0.01)


# Stage 4: lift it
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -(W * F.relu(0.2 - path[:, 2])).sum() - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(keypoints[8, 2] - start_keypoints[8, 2] - 0.1, gripper_width_m - 0.01)
