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

num_stages = 4

# Stage 1: move above the red block, staying higher than the post
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.15])
    distance = torch.norm(path - target, dim=-1).mean()
    side = torch.norm(path[:, :2] - keypoints[9, :2], dim=-1)
    close = torch.relu(0.10 - side)
    low = torch.relu(keypoints[9, 2] + 0.12 - path[:, 2])
    return -distance - 20.0 * (close * low).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.15])
    return 0.02 - torch.norm(end_effector - target)

# Stage 2: come down around the block with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    return 0.012 - torch.norm(end_effector - target)

# Stage 3: close the fingers around the block
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift the block straight up
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    up = torch.relu(0.20 - path[:, 2]).mean()
    side = torch.norm(path[:, :2] - keypoints[6, :2], dim=-1).mean()
    return -up - 0.5 * side - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.10
