# Instruction: turn on the stove
# Keypoint 0 is the akita black bowl.
# Keypoint 1 is the cream cheese.
# Keypoint 2 is the flat stove.
# Keypoint 3 is the flat stove burner.
# Keypoint 4 is the flat stove knob.
# Keypoint 5 is the plate.
# Keypoint 6 is the wine bottle.
# Keypoint 7 is the wine rack.
# Keypoint 8 is the wooden cabinet.
# Keypoint 9 is the wooden cabinet bottom drawer.
# Keypoint 10 is the wooden cabinet middle drawer.
# Keypoint 11 is the wooden cabinet top drawer.

import torch


# mean distance of the path to a point, as a reward (metres)
def reach(action_sequence, target):
    d = action_sequence[0, 1:] - target
    return -torch.sqrt((d * d).sum(dim=-1) + 1e-6).mean()


# bring a held thing to its goal: the hand moves as far as the thing has to
def carry(action_sequence, thing, goal):
    return reach(action_sequence, action_sequence[0, 0] + (goal - thing))


def gap(a, b):
    d = a - b
    return torch.sqrt((d * d).sum() + 1e-8)


def gap_xy(a, b):
    d = a[:2] - b[:2]
    return torch.sqrt((d * d).sum() + 1e-8)


def closed(gripper):
    return -0.1 * gripper[0, 1:].mean()


def opened(gripper):
    return -0.1 * (1.0 - gripper[0, 1:]).mean()


num_stages = 4


# the ridge on top of the knob
def grip(keypoints):
    return keypoints[4] + torch.tensor([0.0, 0.0, 0.015])


# Stage 1: move above the knob with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    target = grip(keypoints) + torch.tensor([0.0, 0.0, 0.08])
    return reach(action_sequence, target) + opened(gripper)


def stage1_done(keypoints, start_keypoints, end_effector):
    target = grip(keypoints) + torch.tensor([0.0, 0.0, 0.08])
    return 0.025 - gap(end_effector, target)


# Stage 2: come down around the ridge of the knob, fingers open along y
def stage2_guidance(keypoints, action_sequence, gripper, rotations):
    across = -0.05 * (1.0 - rotations[0, 1:, 1, 1] ** 2).mean()
    return reach(action_sequence, grip(keypoints)) + opened(gripper) + across


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.016 - gap(end_effector, grip(keypoints))


# Stage 3: close the fingers on the knob
def stage3_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, grip(keypoints)) + 2.0 * closed(gripper)


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.06 - gripper_width_m


# Stage 4: turn the knob counterclockwise, seen from above, with the closed fingers
def stage4_guidance(keypoints, action_sequence, gripper, rotations):
    axis = rotations[0, 1:, :, 1]
    along = -0.94 * axis[:, 0] + 0.342 * axis[:, 1]
    turn = -0.3 * (1.0 - along ** 2).mean()
    upright = -0.05 * (1.0 + rotations[0, 1:, 2, 2]).mean()
    return reach(action_sequence, grip(keypoints)) + closed(gripper) + turn + upright


def stage4_done(keypoints, start_keypoints, end_effector, rotation):
    return 0.5 - torch.sqrt(rotation[1, 1] ** 2 + 1e-8)
