# Instruction: pull the bar out of its housing and hold it
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the red block.
# Keypoint 4 is the blue block.
# Keypoint 5 is the pink block.
# Keypoint 6 is the bar.
# Keypoint 7 is the housing.

import torch

num_stages = 3

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

def out(k):
    u = k[6] - k[7]
    return u / torch.sqrt((u * u).sum() + 1e-6)

# Stage 1: down around the bar, fingers open
def stage1_guidance(keypoints, action_sequence, gripper):
    p = action_sequence[0, 1:]
    t = keypoints[6]
    s = d(p[:, :2], t[:2])
    h = t[2] + 0.08 * torch.tanh(s / 0.03)
    return -(s + torch.abs(p[:, 2] - h)).mean() - 0.1 * (1 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.012 - d(end_effector, keypoints[6])

# Stage 2: close the fingers on the bar
def stage2_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[6]).mean() - 0.15 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.05 - gripper_width_m, gripper_width_m - 0.005)

# Stage 3: pull it out along its axis and keep hold of it
def stage3_guidance(keypoints, action_sequence, gripper):
    t = keypoints[6] + 0.07 * out(keypoints)
    return -d(action_sequence[0, 1:], t).mean() - 0.2 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    pulled = d(keypoints[6], keypoints[7]) - d(start_keypoints[6], start_keypoints[7]) - 0.1
    return torch.minimum(pulled, gripper_width_m - 0.005)
