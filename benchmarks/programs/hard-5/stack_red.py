# Instruction: stack the red block on the yellow block
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the yellow block.

import torch
import torch.nn.functional as F

num_stages = 7

W = torch.linspace(0.3, 1.0, 16)
W = W / W.sum()


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


def over(p, dz):
    return p + torch.tensor([0.0, 0.0, dz])


# Stage 1: hover over the red block
def stage1_guidance(keypoints, action_sequence):
    return -(W * dist(action_sequence[0, 1:], over(keypoints[6], 0.12))).sum()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - dist(end_effector, over(keypoints[6], 0.12))


# Stage 2: descend around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = dist(path[:, :2], keypoints[6, :2]).mean()
    return -(W * dist(path, over(keypoints[6], -0.003))).sum() - side - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - dist(end_effector, over(keypoints[6], -0.003))


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    return -dist(action_sequence[0, 1:], over(keypoints[6], -0.003)).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.012)


# Stage 4: lift
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -(W * F.relu(0.17 - path[:, 2])).sum() - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - keypoints[9, 2] - 0.08


# Stage 5: go over the yellow block
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    offset = keypoints[6] - action_sequence[0, 0]
    target = over(keypoints[9], 0.11) - offset
    return -(W * dist(path, target)).sum() - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    side = 0.010 - dist(keypoints[6, :2], keypoints[9, :2])
    up = keypoints[6, 2] - keypoints[9, 2] - 0.07
    return torch.minimum(side, up)


# Stage 6: lower it until it rests on the yellow block
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    offset = keypoints[6] - action_sequence[0, 0]
    target = over(keypoints[9], 0.04) - offset
    side = dist(path[:, :2], target[:2]).mean()
    return -(W * dist(path, target)).sum() - side - 0.1 * gripper[0, 1:].mean()


def stage6_done(keypoints, start_keypoints, end_effector):
    return 0.052 - (keypoints[6, 2] - keypoints[9, 2])


# Stage 7: let go
def stage7_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    still = dist(path, action_sequence[0, 0]).mean()
    return -0.2 * still - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06
