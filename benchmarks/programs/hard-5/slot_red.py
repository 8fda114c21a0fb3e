# Instruction: put the red block into the slot
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the slot wall 1.
# Keypoint 10 is the slot wall 2.

import torch
import torch.nn.functional as F

num_stages = 7

W = torch.linspace(0.3, 1.0, 16)
W = W / W.sum()


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


def over(p, dz):
    return p + torch.tensor([0.0, 0.0, dz])


def slot(keypoints):
    return 0.5 * (keypoints[9] + keypoints[10])


# Stage 1: hover over the red block
def stage1_guidance(keypoints, action_sequence):
    return -(W * dist(action_sequence[0, 1:], over(keypoints[6], 0.11))).sum()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - dist(end_effector, over(keypoints[6], 0.11))


# Stage 2: come down around it, fingers open; grip high, so that the fingers stay over the walls
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = over(keypoints[6], 0.008)
    side = dist(path[:, :2], target[:2]).mean()
    return -(W * dist(path, target)).sum() - side - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - dist(end_effector, over(keypoints[6], 0.008))


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    return -dist(action_sequence[0, 1:], over(keypoints[6], 0.008)).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.012)


# Stage 4: lift it
def stage4_guidance(keypoints, action_sequence, gripper):
    return -(W * F.relu(0.15 - action_sequence[0, 1:, 2])).sum() - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.07


# Stage 5: carry it over the slot
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    offset = keypoints[6] - action_sequence[0, 0]
    target = over(slot(keypoints), 0.09) - offset
    low = F.relu(0.10 - path[:, 2]).mean()
    return -(W * dist(path, target)).sum() - low - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.012 - dist(keypoints[6], over(slot(keypoints), 0.09))


# Stage 6: lower it into the slot
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    offset = keypoints[6] - action_sequence[0, 0]
    target = over(slot(keypoints), 0.011) - offset
    side = dist(path[:, :2], target[:2]).mean()
    return -(W * dist(path, target)).sum() - 2.0 * side - 0.1 * gripper[0, 1:].mean()


def stage6_done(keypoints, start_keypoints, end_effector):
    deep = 0.037 - keypoints[6, 2]
    side = 0.02 - dist(keypoints[6, :2], slot(keypoints)[:2])
    return torch.minimum(deep, side)


# Stage 7: release it
def stage7_guidance(keypoints, action_sequence, gripper):
    return -0.1 * (1.0 - gripper[0, 1:]).mean()


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.055
