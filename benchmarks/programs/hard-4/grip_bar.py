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

num_stages = 5

# Stage 1: stand in front of the bar's free end, on the side away from the housing, fingers open
def stage1_guidance(keypoints, action_sequence, gripper):
    axis = keypoints[6] - keypoints[7]
    axis = axis / torch.sqrt((axis ** 2).sum() + 1e-6)
    target = keypoints[6] + 0.03 * axis + torch.tensor([0.0, 0.0, 0.09])
    d = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -d.mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    axis = keypoints[6] - keypoints[7]
    axis = axis / torch.sqrt((axis ** 2).sum() + 1e-6)
    target = keypoints[6] + 0.03 * axis + torch.tensor([0.0, 0.0, 0.09])
    return 0.02 - torch.norm(end_effector - target)

# Stage 2: come down around the bar
def stage2_guidance(keypoints, action_sequence, gripper):
    d = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -d.mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - torch.norm(end_effector - keypoints[6])

# Stage 3: close the fingers on it
def stage3_guidance(keypoints, action_sequence, gripper):
    d = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -d.mean() - 0.2 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.04 - gripper_width_m, gripper_width_m - 0.004)

# Stage 4: pull it out: away from the housing until it is 25 cm from it
def stage4_guidance(keypoints, action_sequence, gripper):
    axis = keypoints[6] - keypoints[7]
    axis = axis / torch.sqrt((axis ** 2).sum() + 1e-6)
    target = keypoints[7] + 0.25 * axis
    d = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -d.mean() - 0.2 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return torch.norm(keypoints[6] - keypoints[7]) - 0.22

# Stage 5: hold the bar, a little above the table
def stage5_guidance(keypoints, action_sequence, gripper):
    return -torch.relu(0.12 - action_sequence[0, 1:, 2]).mean() - 0.2 * gripper[0, 1:].mean()

def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(keypoints[6, 2] - 0.08, gripper_width_m - 0.004)
