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

num_stages = 5

# Rows 8 and 9 are the red blocks. y grows to the robot's left, so row 9 (y 0.158) is the left
# one and row 8 (y 0.041) the right one. The picture looks at the robot from the front, where
# the robot's left is on the right-hand side.
TARGET = 9
DOOR_HANDLE = 3


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


# the block stands not far from the door handle: keep the hand off it while it is low
def handle_cost(points, keypoints):
    side = distance(points[:, :2], keypoints[DOOR_HANDLE, :2])
    low = torch.relu(keypoints[DOOR_HANDLE, 2] + 0.05 - points[:, 2])
    return (torch.relu(0.06 - side) * torch.sigmoid(low / 0.01)).mean()


# Stage 1: travel to a point well above the left red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = keypoints[TARGET] + torch.tensor([0.0, 0.0, 0.14])
    low = torch.relu(0.12 - path[:, 2]).mean()
    return -distance(path, target).mean() - low


def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[TARGET] + torch.tensor([0.0, 0.0, 0.14])
    return 0.025 - distance(end_effector, target)


# Stage 2: lower to 6 cm above the block and open the fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[TARGET] + torch.tensor([0.0, 0.0, 0.06])
    return (-distance(path, target).mean() - handle_cost(path, keypoints)
            - 0.08 * (1.0 - gripper[0, 1:]).mean())


def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    target = keypoints[TARGET] + torch.tensor([0.0, 0.0, 0.06])
    return torch.minimum(0.015 - distance(end_effector, target), gripper_width_m - 0.055)


# Stage 3: come down around the block
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[TARGET] + torch.tensor([0.0, 0.0, -0.008])
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage3_done(keypoints, start_keypoints, end_effector):
    target = keypoints[TARGET] + torch.tensor([0.0, 0.0, -0.008])
    return 0.012 - distance(end_effector, target)


# Stage 4: close the fingers
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[TARGET] + torch.tensor([0.0, 0.0, -0.008])
    return -distance(path, target).mean() - 0.08 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.055 - gripper_width_m, gripper_width_m - 0.015)


# Stage 5: lift the block
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    drift = distance(path[:, :2], keypoints[TARGET, :2]).mean()
    return -torch.relu(0.20 - path[:, 2]).mean() - 0.3 * drift - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    lifted = keypoints[TARGET, 2] - start_keypoints[TARGET, 2] - 0.10
    return torch.minimum(lifted, gripper_width_m - 0.012)
