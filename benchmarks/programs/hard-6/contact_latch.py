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

def d(a, b):
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-7)

# Stage 1: closed fingers, just over the latch
def stage1_guidance(keypoints, action_sequence, gripper):
    t = keypoints[9] + torch.tensor([0.0, 0.0, 0.025])
    return -d(action_sequence[0, 1:], t).mean() - 0.1 * gripper[0, 1:].mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.01 - d(end_effector, keypoints[9] + torch.tensor([0.0, 0.0, 0.025]))

# Stage 2: press
def stage2_guidance(keypoints, action_sequence, gripper):
    t = keypoints[9] + torch.tensor([0.0, 0.0, -0.03])
    return -d(action_sequence[0, 1:], t).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return start_keypoints[9, 2] - keypoints[9, 2] - 0.005

# Stage 3: slide left, still pressing
def stage3_guidance(keypoints, action_sequence, gripper):
    # the plate's middle lies left of the carriage; aim well beyond it
    t = torch.stack([keypoints[11, 0] - 0.015, keypoints[11, 1] + 0.06, keypoints[9, 2] - 0.02])
    return -d(action_sequence[0, 1:], t).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[10, 1] - start_keypoints[10, 1] - 0.07
