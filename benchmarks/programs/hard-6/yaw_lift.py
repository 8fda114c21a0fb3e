# Instruction: lift the long block
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the long block.

import torch

num_stages = 3

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

# Stage 1: down around the middle of the long block, fingers open
def stage1_guidance(keypoints, action_sequence, gripper):
    p = action_sequence[0, 1:]
    t = keypoints[8]
    s = d(p[:, :2], t[:2])
    h = t[2] + 0.1 * torch.tanh(s / 0.03)
    return -(s + torch.abs(p[:, 2] - h)).mean() - 0.1 * (1 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - d(end_effector, keypoints[8])

# Stage 2: close
def stage2_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[8]).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.07 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift
def stage3_guidance(keypoints, action_sequence, gripper):
    return -torch.relu(0.18 - action_sequence[0, 1:, 2]).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[8, 2] - start_keypoints[8, 2] - 0.08
