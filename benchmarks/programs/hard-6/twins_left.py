# Instruction: lift the left one of the red blocks
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

LEFT = 9  # red block 2 has the larger y

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

# Stage 1: over the left red block
def stage1_guidance(keypoints, action_sequence):
    return -d(action_sequence[0, 1:], keypoints[LEFT] + torch.tensor([0, 0, 0.1])).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - d(end_effector, keypoints[LEFT] + torch.tensor([0, 0, 0.1]))

# Stage 2: down, fingers open
def stage2_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[LEFT]).mean() - 0.1 * (1 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - d(end_effector, keypoints[LEFT])

# Stage 3: close
def stage3_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[LEFT]).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.07 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift
def stage4_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[LEFT] + torch.tensor([0, 0, 0.15])).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[LEFT, 2] - start_keypoints[LEFT, 2] - 0.12
