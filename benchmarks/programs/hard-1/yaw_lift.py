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

num_stages = 4

# Stage 1: move above the long block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[8] + torch.tensor([0.0, 0.0, 0.12])
    return -torch.norm(action_sequence[0, 1:] - target, dim=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[8] + torch.tensor([0.0, 0.0, 0.12])
    return 0.02 - torch.norm(end_effector - target)

# Stage 2: come down around the middle of the block with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[8] + torch.tensor([0.0, 0.0, -0.005])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    target = keypoints[8] + torch.tensor([0.0, 0.0, -0.005])
    return 0.015 - torch.norm(end_effector - target)

# Stage 3: close the fingers around the block
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[8] + torch.tensor([0.0, 0.0, -0.005])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift it
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(0.2 - path[:, 2]).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[8, 2] - start_keypoints[8, 2] - 0.1
