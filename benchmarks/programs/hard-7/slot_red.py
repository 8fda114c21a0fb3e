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

num_stages = 8

# The slot is the gap between the two green walls. The gap is little wider than the block, so
# the block is centred above it before it goes down.
RED = 6
WALLS = (9, 10)


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


def lifted(point, dz):
    return point + torch.tensor([0.0, 0.0, dz])


def slot(keypoints):
    return 0.5 * (keypoints[WALLS[0]] + keypoints[WALLS[1]])


# Stage 1: go above the red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    return -distance(path, lifted(keypoints[RED], 0.12)).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - distance(end_effector, lifted(keypoints[RED], 0.12))


# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = lifted(keypoints[RED], 0.004)
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - distance(end_effector, lifted(keypoints[RED], 0.004))


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -distance(path, lifted(keypoints[RED], 0.004)).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.056 - gripper_width_m, gripper_width_m - 0.015)


# Stage 4: lift the block
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(0.16 - path[:, 2]).mean() - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    up = keypoints[RED, 2] - start_keypoints[RED, 2] - 0.08
    return torch.minimum(up, gripper_width_m - 0.012)


# Stage 5: carry it over the slot
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    block = path + (keypoints[RED] - action_sequence[0, 0])
    return -distance(block, lifted(slot(keypoints), 0.09)).mean() - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    side = 0.008 - distance(keypoints[RED, :2], slot(keypoints)[:2])
    up = keypoints[RED, 2] - 0.075
    return torch.minimum(side, up)


# Stage 6: lower it between the walls
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    block = path + (keypoints[RED] - action_sequence[0, 0])
    target = lifted(slot(keypoints), 0.011)
    side = distance(block[:, :2], target[:2]).mean()
    return -distance(block, target).mean() - 2.0 * side - 0.1 * gripper[0, 1:].mean()


def stage6_done(keypoints, start_keypoints, end_effector):
    side = 0.02 - distance(keypoints[RED, :2], slot(keypoints)[:2])
    low = slot(keypoints)[2] + 0.020 - keypoints[RED, 2]
    return torch.minimum(side, low)


# Stage 7: open the fingers where the hand is
def stage7_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    still = distance(path, action_sequence[0, 0]).mean()
    return -0.5 * still - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.05


# Stage 8: back off upwards
def stage8_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    return -torch.relu(0.15 - path[:, 2]).mean()


def stage8_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - 0.12
