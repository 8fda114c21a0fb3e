# Instruction: put the bowl on the top of the drawer
# The model was asked to: put the bowl on top of the cabinet
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


num_stages = 8

# a place in the middle of the cabinet's top, for the middle of the standing bowl
REST = torch.tensor([-0.05, 0.0, 0.076])
SAFE = torch.tensor([-0.05, 0.0, 0.150])

# the rim on the left of the bowl, where the fingers (which open along y) come astride the wall
def rim(keypoints):
    return keypoints[0] + torch.tensor([0.0, 0.047, 0.012])


# fingers open along y, across the wall
def across(rotations):
    return -0.03 * (1.0 - rotations[0, 1:, 1, 1] ** 2).mean()


# Stage 1: move above the left rim of the bowl with open fingers
def stage1_guidance(keypoints, action_sequence, gripper, rotations):
    target = rim(keypoints) + torch.tensor([0.0, 0.0, 0.09])
    return reach(action_sequence, target) + opened(gripper) + across(rotations)


def stage1_done(keypoints, start_keypoints, end_effector):
    target = rim(keypoints) + torch.tensor([0.0, 0.0, 0.09])
    return 0.025 - gap(end_effector, target)


# Stage 2: come down astride the rim with open fingers
def stage2_guidance(keypoints, action_sequence, gripper, rotations):
    return reach(action_sequence, rim(keypoints)) + opened(gripper) + across(rotations)


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - gap(end_effector, rim(keypoints))


# Stage 3: close the fingers on the rim
def stage3_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, rim(keypoints)) + 2.0 * closed(gripper)


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.025 - gripper_width_m


# Stage 4: lift the bowl straight up, higher than the cabinet
def stage4_guidance(keypoints, action_sequence, gripper):
    goal = torch.stack([keypoints[0, 0], keypoints[0, 1], keypoints[8, 2] + 0.15])
    return carry(action_sequence, keypoints[0], goal) + closed(gripper)


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[0, 2] - keypoints[8, 2] - 0.125


# Stage 5: carry the bowl above the cabinet
def stage5_guidance(keypoints, action_sequence, gripper):
    return carry(action_sequence, keypoints[0], keypoints[8] + SAFE) + closed(gripper)


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.03 - gap_xy(keypoints[0], keypoints[8] + SAFE)


# Stage 6: lower the bowl onto the cabinet
def stage6_guidance(keypoints, action_sequence, gripper):
    return carry(action_sequence, keypoints[0], keypoints[8] + REST) + closed(gripper)


def stage6_done(keypoints, start_keypoints, end_effector):
    near = 0.045 - gap_xy(keypoints[0], keypoints[8] + REST)
    low = keypoints[8, 2] + 0.094 - keypoints[0, 2]
    return torch.minimum(near, low)


# Stage 7: open the fingers, the hand stays where it is
def stage7_guidance(keypoints, action_sequence, gripper):
    return 0.5 * reach(action_sequence, action_sequence[0, 0]) + 2.0 * opened(gripper)


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06


# Stage 8: leave the bowl straight upwards
def stage8_guidance(keypoints, action_sequence, gripper):
    target = torch.stack([action_sequence[0, 0, 0], action_sequence[0, 0, 1], keypoints[8, 2] + 0.24])
    return reach(action_sequence, target) + opened(gripper)


def stage8_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - keypoints[0, 2] - 0.12
