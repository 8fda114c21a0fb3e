# Instruction: lift the red block without touching the post
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the post.

import torch
import torch.nn.functional as F

num_stages = 4

# later points of the path count more than early ones
W = torch.linspace(0.2, 1.0, 16)
W = W / W.sum()


def weighted(x):
    return (W * x).sum()


def dist(path, target):
    return torch.sqrt(((path - target) ** 2).sum(dim=-1) + 1e-8)


def keep_clear(path, keypoints):
    """Soft penalty, in metres, for being beside the post and not above it."""
    side = dist(path[:, :2], keypoints[9, :2])
    depth = F.softplus((0.11 - side) / 0.01) * 0.01
    beside = torch.sigmoid((keypoints[9, 2] + 0.12 - path[:, 2]) / 0.015)
    return (depth * beside).mean()


# Stage 1: move over the red block, around or above the post
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = keypoints[6] + torch.tensor([0.0, 0.02, 0.16])
    low = F.relu(0.17 - path[:, 2]).mean()
    return -weighted(dist(path, target)) - low - 4.0 * keep_clear(path, keypoints)


def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.02, 0.16])
    return 0.03 - dist(end_effector, target)


# Stage 2: come down around the red block with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = dist(path[:, :2], keypoints[6, :2])
    return (-weighted(dist(path, keypoints[6])) - side.mean() - 4.0 * keep_clear(path, keypoints)
            - 0.1 * (1.0 - gripper[0, 1:]).mean())


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - dist(end_effector, keypoints[6])


# Stage 3: close the fingers around it
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -dist(path, keypoints[6]).mean() - 0.1 * weighted(gripper[0, 1:])


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.062 - gripper_width_m, gripper_width_m - 0.01)


# Stage 4: lift it
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    up = weighted(F.relu(0.19 - path[:, 2]))
    return -up - 4.0 * keep_clear(path, keypoints) - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(keypoints[6, 2] - start_keypoints[6, 2] - 0.10, gripper_width_m - 0.01)
