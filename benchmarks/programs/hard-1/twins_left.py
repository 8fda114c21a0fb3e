# Instruction: lift the left one of the red blocks
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the blue block.
# Keypoint 7 is the pink block.
# Keypoint 8 is the red block 1.
# Keypoint 9 is the red block 2.

import torch

num_stages = 4

# Stage 1: move above the left red block (keypoint 9, the larger y)
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.12])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.12])
    return 0.02 - torch.norm(end_effector - target)

# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[9], dim=-1)
    return -distance.mean() - 0.05 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - torch.norm(end_effector - keypoints[9])

# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[9], dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.065 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift
def stage4_guidance(keypoints, action_sequence, gripper):
    target = torch.stack([keypoints[9, 0], keypoints[9, 1], torch.tensor(0.2)])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[9, 2] - start_keypoints[9, 2] - 0.1
