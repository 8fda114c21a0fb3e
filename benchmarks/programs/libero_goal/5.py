# Instruction: push the plate to the front of the stove
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

# The cabinet's handles stand close behind the plate, so the plate is moved from within:
# the closed fingertips press on its middle and push its raised rim towards the goal.


# the plate's middle when it lies on the table before the stove (on the side away from the robot)
def goal_of(keypoints):
    return torch.stack([keypoints[2, 0] + 0.19, keypoints[2, 1], keypoints[5, 2]])


# unit vector on the table from the plate to its goal
def way(keypoints):
    d = goal_of(keypoints) - keypoints[5]
    return d / torch.sqrt((d * d).sum() + 1e-4)


# on the plate, a little towards the rim that is pushed
def touch(keypoints):
    return keypoints[5] + 0.02 * way(keypoints) + torch.tensor([0.0, 0.0, 0.007])


# Stage 1: move above the plate with closed fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    target = touch(keypoints) + torch.tensor([0.0, 0.0, 0.08])
    return reach(action_sequence, target) + closed(gripper)


def stage1_done(keypoints, start_keypoints, end_effector):
    target = touch(keypoints) + torch.tensor([0.0, 0.0, 0.08])
    return 0.025 - gap(end_effector, target)


# Stage 2: come down into the plate
def stage2_guidance(keypoints, action_sequence, gripper):
    return reach(action_sequence, touch(keypoints)) + closed(gripper)


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.018 - gap(end_effector, touch(keypoints))


# Stage 3: push the plate to the front of the stove, the fingertips down in it
def stage3_guidance(keypoints, action_sequence, gripper):
    goal = goal_of(keypoints)
    here = action_sequence[0, 0]
    ahead = here + (goal - keypoints[5]) + 0.02 * way(keypoints)
    target = torch.stack([ahead[0], ahead[1], keypoints[5, 2] + 0.005])
    return reach(action_sequence, target) + closed(gripper)


def stage3_done(keypoints, start_keypoints, end_effector):
    return 0.02 - gap_xy(keypoints[5], goal_of(keypoints))


# Stage 4: lift the hand off the plate
def stage4_guidance(keypoints, action_sequence):
    here = action_sequence[0, 0]
    target = torch.stack([here[0], here[1], keypoints[5, 2] + 0.12])
    return reach(action_sequence, target)


def stage4_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - keypoints[5, 2] - 0.08
