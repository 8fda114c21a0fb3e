# Instruction: put the red block into the slot
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the slot wall 1.
# Keypoint 10 is the slot wall 2.

import torch

num_stages = 5

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

def down_onto(p, t, high):
    s = d(p[:, :2], t[:2])
    h = t[2] + high * torch.tanh(s / 0.02)
    return (s + torch.abs(p[:, 2] - h)).mean()

# Stage 1: down around the red block, fingers open
def stage1_guidance(keypoints, action_sequence, gripper):
    return -down_onto(action_sequence[0, 1:], keypoints[6], 0.1) - 0.1 * (1 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - d(end_effector, keypoints[6])

# Stage 2: close
def stage2_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[6]).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift and go above the slot
def stage3_guidance(keypoints, action_sequence, gripper):
    p = action_sequence[0, 1:]
    m = (keypoints[9] + keypoints[10]) / 2
    return -d(p[:, :2], m[:2]).mean() - 3 * torch.abs(p[:, 2] - 0.13).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    m = (keypoints[9] + keypoints[10]) / 2
    return torch.minimum(0.012 - d(keypoints[6, :2], m[:2]), keypoints[6, 2] - 0.08)

# Stage 4: down between the walls
def stage4_guidance(keypoints, action_sequence, gripper):
    red = action_sequence[0, 1:] + keypoints[6] - action_sequence[0, 0]
    m = (keypoints[9] + keypoints[10]) / 2 + torch.tensor([0.0, 0.0, 0.01])
    return -d(red, m).mean() - d(red[:, :2], m[:2]).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    m = (keypoints[9] + keypoints[10]) / 2 + torch.tensor([0.0, 0.0, 0.01])
    return 0.012 - d(keypoints[6], m)

# Stage 5: let go and go up
def stage5_guidance(keypoints, action_sequence, gripper):
    up = torch.relu(0.12 - action_sequence[0, 9:, 2]).mean()
    return -0.2 * (1 - gripper[0, 1:]).mean() - 0.2 * up

def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(gripper_width_m - 0.06, end_effector[2] - 0.08)
