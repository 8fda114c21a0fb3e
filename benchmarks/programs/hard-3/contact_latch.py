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

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

# Stage 1: go above the latch, fingers closed so that they make a solid tip
def stage1_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.03])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - 0.1 * gripper[0, 1:].mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[9] + torch.tensor([0.0, 0.0, 0.03])
    return 0.012 - smooth_norm(end_effector - target)

# Stage 2: press the latch down into its carriage
def stage2_guidance(keypoints, action_sequence, gripper):
    target = torch.stack([keypoints[9, 0], keypoints[9, 1], keypoints[9, 2] - 0.025])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return start_keypoints[9, 2] - keypoints[9, 2] - 0.01

# Stage 3: keep pressing and slide along the plate to the robot's left (+y)
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    left = torch.tensor([-0.3, 0.95])
    goal = keypoints[9, :2] + 0.08 * left
    side = smooth_norm(path[:, :2] - goal).mean()
    press = torch.relu(path[:, 2] - (keypoints[9, 2] - 0.02)).mean()
    return -side - 2.0 * press - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    moved = keypoints[10, :2] - start_keypoints[10, :2]
    return -0.3 * moved[0] + 0.95 * moved[1] - 0.06
