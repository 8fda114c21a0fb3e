# Instruction: put the cream cheese on the bowl
# The model was asked to: put the cream cheese in the bowl
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


num_stages = 7


# the box lies flat and long in x; the fingers take it across its narrow side (y), near the table
def hold(keypoints):
    return keypoints[1] + torch.tensor([0.0, 0.0, 0.005])


# fingers open along y, across the narrow side
def across(rotations):
    return -0.03 * (1.0 - rotations[0, 1:, 1, 1] ** 2).mean()


# Stage 1: move above the cream cheese with open fingers
def stage1_guidance(keypoints, action_sequence, gripper, rotations):
    target = hold(keypoints) + torch.tensor([0.0, 0.0, 0.09])
    return reach(action_sequence, target) + opened(gripper) + across(rotations)


def stage1_done(keypoints, start_keypoints, end_effector):
    target = hold(keypoints) + torch.tensor([0.0, 0.0, 0.09])
    return 0.02 - gap(end_effector, target)


# Stage 2: come down around the cream cheese with open fingers
def stage2_guidance(keypoints, action_sequence, gripper, rotations):
    return reach(action_sequence, hold(keypoints)) + opened(gripper) + across(rotations)


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.014 - gap(end_effector, hold(keypoints))


# Stage 3: close the fingers on the cream cheese
def stage3_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, hold(keypoints)) + 2.0 * closed(gripper)


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.052 - gripper_width_m


# Stage 4: lift the cream cheese above the height of the bowl
def stage4_guidance(keypoints, action_sequence, gripper):
    goal = torch.stack([keypoints[1, 0], keypoints[1, 1], keypoints[0, 2] + 0.12])
    return carry(action_sequence, keypoints[1], goal) + closed(gripper)


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[1, 2] - start_keypoints[1, 2] - 0.08


# Stage 5: carry the cream cheese above the bowl
def stage5_guidance(keypoints, action_sequence, gripper):
    goal = keypoints[0] + torch.tensor([0.0, 0.0, 0.12])
    return carry(action_sequence, keypoints[1], goal) + closed(gripper)


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.015 - gap_xy(keypoints[1], keypoints[0])


# Stage 6: lower it to the rim of the bowl
def stage6_guidance(keypoints, action_sequence, gripper):
    goal = keypoints[0] + torch.tensor([0.0, 0.0, 0.04])
    return carry(action_sequence, keypoints[1], goal) + closed(gripper)


def stage6_done(keypoints, start_keypoints, end_effector):
    near = 0.022 - gap_xy(keypoints[1], keypoints[0])
    low = keypoints[0, 2] + 0.055 - keypoints[1, 2]
    return torch.minimum(near, low)


# Stage 7: let the cream cheese drop into the bowl
def stage7_guidance(keypoints, action_sequence, gripper):
    return 0.5 * reach(action_sequence, action_sequence[0, 0]) + 2.0 * opened(gripper)


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.065
