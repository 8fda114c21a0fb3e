# Instruction: lift the long block
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the long block.

import torch

num_stages = 4

# The long block lies slanted, and only its short side fits between the fingers. How the hand is
# turned is the policy's business; the width between the closed fingers shows that it fits.
LONG = 8


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


def at(keypoints, dz):
    return keypoints[LONG] + torch.tensor([0.0, 0.0, dz])


# Stage 1: go above the middle of the long block and open the fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -distance(path, at(keypoints, 0.10)).mean() - 0.05 * (1.0 - gripper[0, 1:]).mean()


def stage1_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    there = 0.018 - distance(end_effector, at(keypoints, 0.10))
    return torch.minimum(there, gripper_width_m - 0.06)


# Stage 2: come straight down around it
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = at(keypoints, -0.006)
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.013 - distance(end_effector, at(keypoints, -0.006))


# Stage 3: close the fingers across the short side
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -distance(path, at(keypoints, -0.006)).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.052 - gripper_width_m, gripper_width_m - 0.012)


# Stage 4: lift it with closed fingers
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    drift = distance(path[:, :2], keypoints[LONG, :2]).mean()
    return -torch.relu(0.20 - path[:, 2]).mean() - 0.3 * drift - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    lifted = keypoints[LONG, 2] - start_keypoints[LONG, 2] - 0.10
    return torch.minimum(lifted, gripper_width_m - 0.012)
