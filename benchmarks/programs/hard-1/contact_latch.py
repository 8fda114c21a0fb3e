# Instruction: press the latch down and slide it to the left
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the latch.
# Keypoint 10 is the latch carriage.
# Keypoint 11 is the latch plate.

import torch

num_stages = 3

# Stage 1: move above the latch with closed fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.04])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.05 * gripper[0, 1:].mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.04])
    return 0.012 - torch.norm(end_effector - target)

# Stage 2: press the latch down
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + torch.tensor([0.0, 0.0, -0.02])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.05 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return start_keypoints[9, 2] - keypoints[9, 2] - 0.008

# Stage 3: slide it to the left (along the plate) while pressing
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + torch.tensor([-0.02, 0.06, -0.015])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.05 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[9, 1] - start_keypoints[9, 1] - 0.06
