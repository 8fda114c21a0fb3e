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

num_stages = 4

# Stage 1: move above the bar
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.1])
    return -torch.norm(action_sequence[0, 1:] - target, dim=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.1])
    return 0.02 - torch.norm(end_effector - target)

# Stage 2: come down around the bar with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -distance.mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - torch.norm(end_effector - keypoints[6])

# Stage 3: close the fingers on the bar
def stage3_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.05 - gripper_width_m, gripper_width_m - 0.005)

# Stage 4: pull the bar away from the housing and keep it gripped
def stage4_guidance(keypoints, action_sequence, gripper):
    out = keypoints[6, :2] - keypoints[7, :2]
    out = out / torch.sqrt((out ** 2).sum() + 1e-6)
    target = torch.cat([keypoints[6, :2] + 0.1 * out, keypoints[6, 2:3]])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return torch.norm(keypoints[6] - start_keypoints[6]) - 0.12
