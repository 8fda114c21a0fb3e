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

num_stages = 6

# Stage 1: move above the red block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.12])
    return -torch.norm(action_sequence[0, 1:] - target, dim=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.12])
    return 0.02 - torch.norm(end_effector - target)

# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -distance.mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - torch.norm(end_effector - keypoints[6])

# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: carry it above the slot, which lies between the two walls
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = 0.5 * (keypoints[9] + keypoints[10]) + torch.tensor([0.0, 0.0, 0.13])
    distance = torch.norm(path - target, dim=-1).mean()
    low = torch.relu(0.12 - path[:, 2]).mean()
    return -distance - low - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    target = 0.5 * (keypoints[9] + keypoints[10]) + torch.tensor([0.0, 0.0, 0.13])
    return 0.012 - torch.norm(end_effector - target)

# Stage 5: lower it into the slot
def stage5_guidance(keypoints, action_sequence, gripper):
    target = 0.5 * (keypoints[9] + keypoints[10]) + torch.tensor([0.0, 0.0, 0.012])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage5_done(keypoints, start_keypoints, end_effector):
    target = 0.5 * (keypoints[9] + keypoints[10]) + torch.tensor([0.0, 0.0, 0.012])
    return 0.015 - torch.norm(keypoints[6] - target)

# Stage 6: release the block
def stage6_guidance(keypoints, action_sequence, gripper):
    return -0.1 * (1.0 - gripper[0, 1:]).mean()

def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06
