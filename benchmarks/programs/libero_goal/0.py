# Instruction: open the middle layer of the drawer
# The model was asked to: open the middle drawer of the cabinet
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


# the bar of the middle drawer's handle, which stands out of the drawer's front towards +y
def bar(keypoints):
    return keypoints[10] + torch.tensor([0.0, 0.024, 0.0])


# The handles stand one above the other, so the hand comes from the front: fingers level,
# pointing at the cabinet (-y), one finger above the bar and one below it.
def level(rotations):
    toward = -rotations[0, 1:, 1, 2]
    upright = rotations[0, 1:, 2, 1] ** 2
    return -0.2 * (1.0 - toward).mean() - 0.05 * (1.0 - upright).mean()


# Stage 1: move before the middle handle with open fingers and turn the hand towards it
def stage1_guidance(keypoints, action_sequence, gripper, rotations):
    target = bar(keypoints) + torch.tensor([0.0, 0.09, 0.0])
    return reach(action_sequence, target) + opened(gripper) + level(rotations)


def stage1_done(keypoints, start_keypoints, end_effector, rotation):
    near = 0.025 - gap(end_effector, bar(keypoints) + torch.tensor([0.0, 0.09, 0.0]))
    turned = -0.85 - rotation[1, 2]
    return torch.minimum(near, turned)


# Stage 2: move in around the bar with open fingers
def stage2_guidance(keypoints, action_sequence, gripper, rotations):
    return reach(action_sequence, bar(keypoints)) + opened(gripper) + level(rotations)


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.014 - gap(end_effector, bar(keypoints))


# Stage 3: close the fingers on the handle
def stage3_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, bar(keypoints)) + 2.0 * closed(gripper)


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.03 - gripper_width_m


# Stage 4: pull the drawer open
def stage4_guidance(keypoints, action_sequence, gripper, rotations):
    target = bar(keypoints) + torch.tensor([0.0, 0.10, 0.0])
    return reach(action_sequence, target) + closed(gripper) + 0.3 * level(rotations)


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[10, 1] - start_keypoints[10, 1] - 0.15
