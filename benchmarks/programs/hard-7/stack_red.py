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

num_stages = 8

RED = 6
YELLOW = 9


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


def lifted(point, dz):
    return point + torch.tensor([0.0, 0.0, dz])


# Stage 1: go above the red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    return -distance(path, lifted(keypoints[RED], 0.12)).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - distance(end_effector, lifted(keypoints[RED], 0.12))


# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = lifted(keypoints[RED], -0.005)
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - distance(end_effector, lifted(keypoints[RED], -0.005))


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -distance(path, lifted(keypoints[RED], -0.005)).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.056 - gripper_width_m, gripper_width_m - 0.015)


# Stage 4: lift the red block straight up
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    drift = distance(path[:, :2], keypoints[RED, :2]).mean()
    return -torch.relu(0.18 - path[:, 2]).mean() - 0.3 * drift - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    up = keypoints[RED, 2] - start_keypoints[RED, 2] - 0.10
    return torch.minimum(up, gripper_width_m - 0.012)


# Stage 5: carry it over the yellow block, staying high
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    block = path + (keypoints[RED] - action_sequence[0, 0])
    target = lifted(keypoints[YELLOW], 0.11)
    return -distance(block, target).mean() - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    side = 0.010 - distance(keypoints[RED, :2], keypoints[YELLOW, :2])
    up = keypoints[RED, 2] - keypoints[YELLOW, 2] - 0.07
    return torch.minimum(side, up)


# Stage 6: lower it onto the yellow block
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    block = path + (keypoints[RED] - action_sequence[0, 0])
    target = lifted(keypoints[YELLOW], 0.041)
    side = distance(block[:, :2], target[:2]).mean()
    return -distance(block, target).mean() - side - 0.1 * gripper[0, 1:].mean()


def stage6_done(keypoints, start_keypoints, end_effector):
    side = 0.015 - distance(keypoints[RED, :2], keypoints[YELLOW, :2])
    low = 0.053 - (keypoints[RED, 2] - keypoints[YELLOW, 2])
    return torch.minimum(side, low)


# Stage 7: open the fingers without moving the hand
def stage7_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    still = distance(path, action_sequence[0, 0]).mean()
    return -0.5 * still - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.055


# Stage 8: back off straight up with open fingers
def stage8_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = lifted(keypoints[YELLOW], 0.16)
    return -distance(path, target).mean() - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage8_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - keypoints[RED, 2] - 0.06
