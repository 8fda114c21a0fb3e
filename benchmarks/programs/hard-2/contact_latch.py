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

LATCH = 9
CARRIAGE = 10
PLATE = 11


class L:
    hover = 0.08
    touch = 0.015
    press = 0.020
    grip = 0.05
    slide = 0.07


# The plate runs to the robot's left and a little towards the robot; the carriage has to
# run along it. Fixed, because the carriage passes the middle of the plate on its way.
ALONG = torch.tensor([-0.30, 0.954, 0.0])


def norm(v):
    return torch.sqrt((v * v).sum(dim=-1) + 1e-8)


def up(p, dz):
    return p + torch.tensor([0.0, 0.0, dz])


# Stage 1: hover over the latch, fingers closed
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -norm(path - up(keypoints[LATCH], L.hover)).mean() - L.grip * gripper[0, 1:].mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - norm(end_effector - up(keypoints[LATCH], L.hover))


# Stage 2: come down until just above the latch
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = up(keypoints[LATCH], L.touch)
    side = norm(path[:, :2] - target[:2]).mean()
    return -norm(path - target).mean() - side - L.grip * gripper[0, 1:].mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.010 - norm(end_effector - up(keypoints[LATCH], L.touch))


# Stage 3: press the latch down
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = up(keypoints[LATCH], -L.press)
    return -norm(path - target).mean() - L.grip * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector):
    return start_keypoints[LATCH, 2] - keypoints[LATCH, 2] - 0.006


# Stage 4: slide it to the left along the plate, still pressing
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = up(keypoints[LATCH], -L.press) + 0.06 * ALONG
    return -norm(path - target).mean() - L.grip * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    moved = ((keypoints[CARRIAGE] - start_keypoints[CARRIAGE]) * ALONG).sum()
    return moved - L.slide
