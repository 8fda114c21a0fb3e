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

GRIP = 0.15

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

# Stage 1: come down around the long block with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[8] + torch.tensor([0.0, 0.0, -0.01])
    side = smooth_norm(path[:, :2] - target[:2])
    wanted = target[2] + 0.1 * (1.0 - torch.exp(-(side / 0.03) ** 2))
    return -(side + torch.abs(path[:, 2] - wanted)).mean() - GRIP * (1.0 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[8] + torch.tensor([0.0, 0.0, -0.01])
    return 0.015 - smooth_norm(end_effector - target)

# Stage 2: close the fingers around it
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[8] + torch.tensor([0.0, 0.0, -0.01])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - GRIP * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.065 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift it, fingers closed
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = torch.cat([keypoints[8, :2], torch.tensor([0.22])])
    return -smooth_norm(path - target).mean() - GRIP * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[8, 2] - start_keypoints[8, 2] - 0.12
