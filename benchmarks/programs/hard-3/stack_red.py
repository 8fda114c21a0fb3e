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

GRIP = 0.15

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

def hop(path, target, clearance):
    side = smooth_norm(path[:, :2] - target[:2])
    wanted = target[2] + clearance * (1.0 - torch.exp(-(side / 0.03) ** 2))
    return (side + torch.abs(path[:, 2] - wanted)).mean()

# Stage 1: come down around the red block with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.0])
    return -hop(action_sequence[0, 1:], target, 0.1) - GRIP * (1.0 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - smooth_norm(end_effector - keypoints[6])

# Stage 2: close the fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    return -smooth_norm(action_sequence[0, 1:] - keypoints[6]).mean() - GRIP * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift the red block
def stage3_guidance(keypoints, action_sequence, gripper):
    return -torch.relu(0.18 - action_sequence[0, 1:, 2]).mean() - GRIP * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.1

# Stage 4: carry it over the yellow block and set it down there
def stage4_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.045])
    return -hop(action_sequence[0, 1:], target, 0.1) - GRIP * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    aligned = 0.015 - smooth_norm(keypoints[6, :2] - keypoints[9, :2])
    low = 0.055 - (keypoints[6, 2] - keypoints[9, 2])
    return torch.minimum(aligned, low)

# Stage 5: open the fingers
def stage5_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.05])
    stay = smooth_norm(action_sequence[0, 1:] - target).mean()
    return -0.5 * stay - GRIP * (1.0 - gripper[0, 1:]).mean()

def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.065
