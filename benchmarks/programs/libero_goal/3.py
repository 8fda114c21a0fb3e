# Instruction: open the top layer of the drawer and put the bowl inside
# The model was asked to: open the top drawer and put the bowl inside
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


# the bar of the top drawer's handle, which stands out of the drawer's front towards +y
def bar(keypoints):
    return keypoints[11] + torch.tensor([0.0, 0.022, 0.0])


# the way back from the handle along the tilted fingers
BACK = torch.tensor([0.0, 0.08, 0.06])


# fingers point at the cabinet and down, and open across the bar, which lies along x
def tilted(rotations):
    toward = -0.8 * rotations[0, 1:, 1, 2] - 0.6 * rotations[0, 1:, 2, 2]
    side = rotations[0, 1:, 0, 1]
    return -0.15 * (1.0 - toward).mean() - 0.05 * (side ** 2).mean()


# hand straight down, fingers opening along y
def upright(rotations):
    down = 1.0 + rotations[0, 1:, 2, 2]
    across = 1.0 - rotations[0, 1:, 1, 1] ** 2
    return -0.15 * down.mean() - 0.03 * across.mean()


# the rim of the bowl, left and a little towards the robot, clear of the open drawer
def rim(keypoints):
    return keypoints[0] + torch.tensor([-0.02, 0.043, 0.012])


# the middle of the open part of the drawer, behind its front
def inside(keypoints):
    return keypoints[11] + torch.tensor([0.0, -0.075, 0.0])


# Stage 1: tilt the open hand before the top handle, then go in around the bar
def stage1_guidance(keypoints, action_sequence, gripper, rotations):
    here = action_sequence[0, 0]
    handle = bar(keypoints)
    # how far the hand is off the line that leads along the fingers to the bar
    off = here - handle
    along = 0.8 * off[1] + 0.6 * off[2]
    aside = off - along * torch.tensor([0.0, 0.8, 0.6])
    miss = torch.sqrt((aside * aside).sum() + 1e-8)
    turn = 1.0 + 0.8 * rotations[0, 0, 1, 2] + 0.6 * rotations[0, 0, 2, 2]
    go = torch.sigmoid((0.025 - miss) / 0.005) * torch.sigmoid((0.12 - turn) / 0.03)
    target = handle + (1.0 - go) * BACK
    return reach(action_sequence, target) + opened(gripper) + tilted(rotations)


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.014 - gap(end_effector, bar(keypoints))


# Stage 2: close the fingers on the handle
def stage2_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, bar(keypoints)) + 2.0 * closed(gripper)


def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.03 - gripper_width_m


# Stage 3: pull the drawer open
def stage3_guidance(keypoints, action_sequence, gripper):
    target = bar(keypoints) + torch.tensor([0.0, 0.10, 0.0])
    return reach(action_sequence, target) + closed(gripper)


def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[11, 1] - start_keypoints[11, 1] - 0.14


# Stage 4: let the handle go, back off, then move above the rim of the bowl with the hand straight down
def stage4_guidance(keypoints, action_sequence, gripper, rotations):
    away = gap(action_sequence[0, 0], bar(keypoints))
    free = torch.sigmoid((away - 0.07) / 0.006)
    loose = torch.sigmoid((gripper[0, 0] - 0.5) / 0.05)
    above = rim(keypoints) + torch.tensor([0.0, 0.0, 0.19])
    leave = reach(action_sequence, bar(keypoints) + 1.2 * BACK)
    return free * (reach(action_sequence, above) + upright(rotations)) + (1.0 - free) * (0.2 + 0.8 * loose) * leave + 2.0 * opened(gripper)


def stage4_done(keypoints, start_keypoints, end_effector, rotation):
    near = 0.03 - gap(end_effector, rim(keypoints) + torch.tensor([0.0, 0.0, 0.19]))
    down = -0.94 - rotation[2, 2]
    return torch.minimum(near, down)


# Stage 5: come down astride the rim with open fingers
def stage5_guidance(keypoints, action_sequence, gripper, rotations):
    return reach(action_sequence, rim(keypoints)) + opened(gripper) + upright(rotations)


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.015 - gap(end_effector, rim(keypoints))


# Stage 6: close the fingers on the rim
def stage6_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, rim(keypoints)) + 2.0 * closed(gripper)


def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.025 - gripper_width_m


# Stage 7: lift the bowl beside the drawer, then carry it above the drawer
def stage7_guidance(keypoints, action_sequence, gripper):
    bowl = keypoints[0]
    over = inside(keypoints)
    high = keypoints[11, 2] + 0.10
    lifted = torch.sigmoid((bowl[2] - keypoints[11, 2] - 0.065) / 0.008)
    x = lifted * over[0] + (1.0 - lifted) * (bowl[0] - 0.02)
    y = lifted * over[1] + (1.0 - lifted) * (bowl[1] + 0.02)
    return carry(action_sequence, bowl, torch.stack([x, y, high])) + closed(gripper)


def stage7_done(keypoints, start_keypoints, end_effector):
    near = 0.02 - gap_xy(keypoints[0], inside(keypoints))
    high = keypoints[0, 2] - keypoints[11, 2] - 0.05
    return torch.minimum(near, high)


# Stage 8: lower the bowl into the drawer and let it go there
def stage8_guidance(keypoints, action_sequence, gripper):
    bowl = keypoints[0]
    goal = inside(keypoints) + torch.tensor([0.0, 0.0, 0.012])
    low = torch.sigmoid((keypoints[11, 2] + 0.03 - bowl[2]) / 0.004)
    lower = carry(action_sequence, bowl, goal) + closed(gripper)
    release = 0.5 * reach(action_sequence, action_sequence[0, 0]) + 2.0 * opened(gripper)
    return (1.0 - low) * lower + low * release


def stage8_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    low = keypoints[11, 2] + 0.03 - keypoints[0, 2]
    return torch.minimum(low, gripper_width_m - 0.06)
