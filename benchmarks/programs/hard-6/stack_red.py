# Instruction: stack the red block on the yellow block
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the yellow block.

import torch

num_stages = 5

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

def down_onto(p, t, high):
    s = d(p[:, :2], t[:2])
    h = t[2] + high * torch.tanh(s / 0.03)
    return (s + torch.abs(p[:, 2] - h)).mean()

# Stage 1: down around the red block, fingers open
def stage1_guidance(keypoints, action_sequence, gripper):
    t = keypoints[6] + torch.tensor([0.0, 0.0, -0.008])
    return -down_onto(action_sequence[0, 1:], t, 0.1) - 0.1 * (1 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - d(end_effector, keypoints[6] + torch.tensor([0.0, 0.0, -0.008]))

# Stage 2: close
def stage2_guidance(keypoints, action_sequence, gripper):
    t = keypoints[6] + torch.tensor([0.0, 0.0, -0.008])
    return -d(action_sequence[0, 1:], t).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift
def stage3_guidance(keypoints, action_sequence, gripper):
    return -torch.relu(0.16 - action_sequence[0, 1:, 2]).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.09

# Stage 4: onto the yellow block
def stage4_guidance(keypoints, action_sequence, gripper):
    red = action_sequence[0, 1:] + keypoints[6] - action_sequence[0, 0]
    t = keypoints[9] + torch.tensor([0.0, 0.0, 0.045])
    return -down_onto(red, t, 0.08) - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return 0.014 - d(keypoints[6], keypoints[9] + torch.tensor([0.0, 0.0, 0.045]))

# Stage 5: let go
def stage5_guidance(keypoints, action_sequence, gripper):
    return -0.1 * (1 - gripper[0, 1:]).mean()

def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06
