# Instruction: lift the right one of the red blocks
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the blue block.
# Keypoint 7 is the pink block.
# Keypoint 8 is the red block 1.
# Keypoint 9 is the red block 2.

import torch

num_stages = 4

RIGHT_RED = 8   # y = 0.041; the other one, keypoint 9, is at y = 0.158 and thus to its left

def gap(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-6)

# Stage 1: go over the right red block
def stage1_guidance(keypoints, action_sequence):
    goal = keypoints[RIGHT_RED] + torch.tensor([0.0, 0.0, 0.1])
    return -gap(action_sequence[0, 1:], goal).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    goal = keypoints[RIGHT_RED] + torch.tensor([0.0, 0.0, 0.1])
    return 0.02 - gap(end_effector, goal)

# Stage 2: come down around it, fingers open
def stage2_guidance(keypoints, action_sequence, gripper):
    goal = keypoints[RIGHT_RED] + torch.tensor([0.0, 0.0, -0.01])
    opening = (1.0 - gripper[0, 1:]).mean()
    return -gap(action_sequence[0, 1:], goal).mean() - 0.1 * opening

def stage2_done(keypoints, start_keypoints, end_effector):
    goal = keypoints[RIGHT_RED] + torch.tensor([0.0, 0.0, -0.01])
    return 0.015 - gap(end_effector, goal)

# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    goal = keypoints[RIGHT_RED] + torch.tensor([0.0, 0.0, -0.01])
    return -gap(action_sequence[0, 1:], goal).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    # something between 1 cm and 6.5 cm wide is held
    return torch.minimum(gripper_width_m - 0.01, 0.065 - gripper_width_m)

# Stage 4: lift it to 20 cm
def stage4_guidance(keypoints, action_sequence, gripper):
    goal = torch.cat([keypoints[RIGHT_RED, :2], torch.tensor([0.2])])
    return -gap(action_sequence[0, 1:], goal).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[RIGHT_RED, 2] - 0.13
