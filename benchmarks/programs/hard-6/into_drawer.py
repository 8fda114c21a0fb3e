# Instruction: put the red block into the drawer and shut it inside
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.

import torch

num_stages = 6

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

def down_onto(p, t, high):
    # travel at t + high, come down only over t
    s = d(p[:, :2], t[:2])
    h = t[2] + high * torch.tanh(s / 0.03)
    return (s + torch.abs(p[:, 2] - h)).mean()

def drop(k):
    return (k[1] + k[2]) / 2 + torch.tensor([0.0, 0.0, 0.055])

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

# Stage 3: up, across and down into the drawer
def stage3_guidance(keypoints, action_sequence, gripper):
    return -down_onto(action_sequence[0, 1:], drop(keypoints), 0.16) - 0.2 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return 0.025 - d(end_effector, drop(keypoints))

# Stage 4: let go
def stage4_guidance(keypoints, action_sequence, gripper):
    return -0.2 * (1 - gripper[0, 1:]).mean()

def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06

# Stage 5: out of the drawer and down before the handle
def stage5_guidance(keypoints, action_sequence):
    t = keypoints[0] + torch.tensor([-0.06, 0.0, 0.0])
    return -down_onto(action_sequence[0, 1:], t, 0.16)

def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.02 - d(end_effector, keypoints[0] + torch.tensor([-0.06, 0.0, 0.0]))

# Stage 6: push it shut
def stage6_guidance(keypoints, action_sequence, gripper):
    u = drop(keypoints)[:2] - keypoints[0, :2]
    u = u / torch.sqrt((u * u).sum() + 1e-6)
    t = torch.stack([keypoints[0, 0] + 0.07 * u[0], keypoints[0, 1] + 0.07 * u[1], keypoints[0, 2]])
    return -d(action_sequence[0, 1:], t).mean() - 0.05 * gripper[0, 1:].mean()

def stage6_done(keypoints, start_keypoints, end_effector):
    return d(keypoints[0], start_keypoints[0]) - 0.12
