# Instruction: press the latch down and slide it to the left
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the latch.
# Keypoint 10 is the latch carriage.
# Keypoint 11 is the latch plate.

import torch

num_stages = 4

# The latch sits on a carriage that runs on the plate. The plate's middle is to the left of the
# carriage (larger y), so the carriage has to go towards it and past it.
LATCH = 9
CARRIAGE = 10
PLATE = 11

# Plate direction towards the robot's left. Written down instead of computed from rows 10 and 11,
# because their difference vanishes when the carriage reaches the plate's middle.
SLIDE = torch.tensor([-0.33, 0.944, 0.0])
PRESS = 0.02


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


# Stage 1: go above the latch and close the fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[LATCH] + torch.tensor([0.0, 0.0, 0.07])
    return -distance(path, target).mean() - 0.05 * gripper[0, 1:].mean()


def stage1_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    target = keypoints[LATCH] + torch.tensor([0.0, 0.0, 0.07])
    return torch.minimum(0.015 - distance(end_effector, target), 0.015 - gripper_width_m)


# Stage 2: come down to the latch
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[LATCH] + torch.tensor([0.0, 0.0, 0.012])
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.05 * gripper[0, 1:].mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    target = keypoints[LATCH] + torch.tensor([0.0, 0.0, 0.012])
    return 0.010 - distance(end_effector, target)


# Stage 3: press it down
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[LATCH] + torch.tensor([0.0, 0.0, -PRESS])
    return -distance(path, target).mean() - 0.05 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector):
    # the latch has gone down relative to the carriage below it
    before = start_keypoints[LATCH, 2] - start_keypoints[CARRIAGE, 2]
    now = keypoints[LATCH, 2] - keypoints[CARRIAGE, 2]
    return before - now - 0.006


# Stage 4: keep it pressed and slide it to the left
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[LATCH] + 0.05 * SLIDE + torch.tensor([0.0, 0.0, -PRESS])
    loose = torch.relu(path[:, 2] - keypoints[LATCH, 2] + 0.01).mean()
    return -distance(path, target).mean() - 2.0 * loose - 0.05 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return torch.sum((keypoints[CARRIAGE] - start_keypoints[CARRIAGE]) * SLIDE) - 0.06
