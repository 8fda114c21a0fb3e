# Instruction: lift the red block without touching the post
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the post.

import torch

num_stages = 3

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

# Stage 1: over the post's height to the red block and down around it, fingers open
def stage1_guidance(keypoints, action_sequence, gripper):
    p = action_sequence[0, 1:]
    r = keypoints[6]
    s = d(p[:, :2], r[:2])
    h = r[2] + 0.18 * torch.tanh(s / 0.05)
    post = torch.relu(0.10 - d(p[:, :2], keypoints[9, :2])) * torch.relu(0.20 - p[:, 2])
    return -(s + torch.abs(p[:, 2] - h)).mean() - 20 * post.mean() - 0.1 * (1 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - d(end_effector, keypoints[6])

# Stage 2: close
def stage2_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[6]).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.07 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift
def stage3_guidance(keypoints, action_sequence, gripper):
    p = action_sequence[0, 1:]
    return -torch.relu(0.2 - p[:, 2]).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.1
