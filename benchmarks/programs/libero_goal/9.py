# Instruction: put the wine bottle on the rack
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

# the middle of the bottle above and on the rack; how the bottle is tilted is left to the policy
REST = torch.tensor([0.0, 0.0, 0.045])
SAFE = torch.tensor([0.0, 0.0, 0.140])

# the neck, a little below the mouth, so that the palm stays above the bottle
def neck(keypoints):
    return keypoints[6] + torch.tensor([0.0, 0.0, 0.062])


# Stage 1: move above the bottle with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    target = neck(keypoints) + torch.tensor([0.0, 0.0, 0.09])
    return reach(action_sequence, target) + opened(gripper)


def stage1_done(keypoints, start_keypoints, end_effector):
    target = neck(keypoints) + torch.tensor([0.0, 0.0, 0.09])
    return 0.022 - gap(end_effector, target)


# Stage 2: come down around the neck with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, neck(keypoints)) + opened(gripper)


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.016 - gap(end_effector, neck(keypoints))


# Stage 3: close the fingers on the neck
def stage3_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, neck(keypoints)) + 2.0 * closed(gripper)


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.04 - gripper_width_m


# Stage 4: lift the bottle straight up, higher than the rack
def stage4_guidance(keypoints, action_sequence, gripper):
    goal = torch.stack([keypoints[6, 0], keypoints[6, 1], keypoints[7, 2] + 0.14])
    return carry(action_sequence, keypoints[6], goal) + closed(gripper)


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - keypoints[7, 2] - 0.11


# Stage 5: carry the bottle above the rack
def stage5_guidance(keypoints, action_sequence, gripper):
    return carry(action_sequence, keypoints[6], keypoints[7] + SAFE) + closed(gripper)


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.025 - gap_xy(keypoints[6], keypoints[7])


# Stage 6: lower the bottle onto the rack
def stage6_guidance(keypoints, action_sequence, gripper):
    return carry(action_sequence, keypoints[6], keypoints[7] + REST) + closed(gripper)


def stage6_done(keypoints, start_keypoints, end_effector):
    near = 0.04 - gap_xy(keypoints[6], keypoints[7])
    low = keypoints[7, 2] + 0.075 - keypoints[6, 2]
    return torch.minimum(near, low)


# Stage 7: open the fingers, the hand stays where it is
def stage7_guidance(keypoints, action_sequence, gripper):
    return 0.5 * reach(action_sequence, action_sequence[0, 0]) + 2.0 * opened(gripper)


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06


# Stage 8: leave the bottle upwards
def stage8_guidance(keypoints, action_sequence, gripper):
    target = torch.stack([action_sequence[0, 0, 0], action_sequence[0, 0, 1], keypoints[7, 2] + 0.25])
    return reach(action_sequence, target) + opened(gripper)


def stage8_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - keypoints[7, 2] - 0.21
