# Instruction: lift the right one of the red blocks
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

num_stages = 3

# Stage 1: come down around the right red block (keypoint 8, smaller y) with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = torch.norm(path[:, :2] - keypoints[8, :2], dim=-1)
    # stay high until the hand is over the block
    height = keypoints[8, 2] + 0.1 * torch.tanh(side / 0.04)
    return -side.mean() - torch.abs(path[:, 2] - height).mean() - 0.05 * (1.0 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - torch.norm(end_effector - keypoints[8])

# Stage 2: close the fingers around it
def stage2_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[8], dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.008)

# Stage 3: lift it 15 cm
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[8] + torch.tensor([0.0, 0.0, 0.1])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[8, 2] - start_keypoints[8, 2] - 0.15
