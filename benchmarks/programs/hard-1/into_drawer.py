# Instruction: put the red block into the drawer and shut it inside
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.

import torch

num_stages = 8

# Stage 1: move above the red block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.12])
    return -torch.norm(action_sequence[0, 1:] - target, dim=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.12])
    return 0.02 - torch.norm(end_effector - target)

# Stage 2: come down around the block with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -distance.mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - torch.norm(end_effector - keypoints[6])

# Stage 3: close the fingers around the block
def stage3_guidance(keypoints, action_sequence, gripper):
    distance = torch.norm(action_sequence[0, 1:] - keypoints[6], dim=-1)
    return -distance.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift the block
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(0.22 - path[:, 2]).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - 0.20

# Stage 5: carry it over the open drawer and lower it
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    centre = 0.5 * (keypoints[1] + keypoints[2])
    side = torch.norm(path[:, :2] - centre[:2], dim=-1)
    height = 0.08 + 0.13 * torch.tanh(side / 0.05)
    return -side.mean() - torch.abs(path[:, 2] - height).mean() - 0.1 * gripper[0, 1:].mean()

def stage5_done(keypoints, start_keypoints, end_effector):
    centre = 0.5 * (keypoints[1] + keypoints[2]) + torch.tensor([0.0, 0.0, 0.065])
    return 0.025 - torch.norm(end_effector - centre)

# Stage 6: open the fingers
def stage6_guidance(keypoints, action_sequence, gripper):
    return -0.1 * (1.0 - gripper[0, 1:]).mean()

def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06

# Stage 7: go up and then to the near side of the handle
def stage7_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = keypoints[0] + torch.tensor([-0.06, -0.01, 0.0])
    side = torch.norm(path[:, :2] - target[:2], dim=-1)
    height = target[2] + 0.12 * torch.tanh(side / 0.04)
    return -side.mean() - torch.abs(path[:, 2] - height).mean()

def stage7_done(keypoints, start_keypoints, end_effector):
    target = keypoints[0] + torch.tensor([-0.06, -0.01, 0.0])
    return 0.02 - torch.norm(end_effector - target)

# Stage 8: push the drawer shut
def stage8_guidance(keypoints, action_sequence, gripper):
    target = keypoints[0] + torch.tensor([0.08, 0.015, 0.0])
    distance = torch.norm(action_sequence[0, 1:] - target, dim=-1)
    return -distance.mean() - 0.05 * gripper[0, 1:].mean()

def stage8_done(keypoints, start_keypoints, end_effector):
    return keypoints[0, 0] - start_keypoints[0, 0] - 0.12
