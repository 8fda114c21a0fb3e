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

num_stages = 5

# The post stands between the middle of the table and the red block. The hand is wide, so it
# keeps about 10 cm from the post sideways, or passes well above its top.
SAFE_Z = 0.25
CLEARANCE = 0.10


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


def post_cost(points, post):
    side = torch.sqrt(torch.sum((points[:, :2] - post[:2]) ** 2, dim=-1) + 1e-8)
    intrusion = torch.relu(CLEARANCE - side)
    under = torch.relu(post[2] + 0.14 - points[:, 2])
    # product of both depths, so that leaving by the side or by the top both help
    return torch.sqrt(intrusion * under + 1e-8).mean()


# Stage 1: go up to a safe height where the hand is
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    return -torch.relu(SAFE_Z - path[:, 2]).mean() - post_cost(path, keypoints[9])


def stage1_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - (SAFE_Z - 0.03)


# Stage 2: travel at this height until over the red block
def stage2_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = torch.cat([keypoints[6, :2], torch.tensor([SAFE_Z])])
    sink = torch.relu(SAFE_Z - 0.03 - path[:, 2]).mean()
    return -distance(path, target).mean() - 2.0 * sink - post_cost(path, keypoints[9])


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.02 - distance(end_effector[:2], keypoints[6, :2])


# Stage 3: come down around the red block with open fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.007])
    side = distance(path[:, :2], target[:2]).mean()
    opened = 1.0 - gripper[0, 1:].mean()
    return -distance(path, target).mean() - side - 0.08 * opened - post_cost(path, keypoints[9])


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.007])
    there = 0.013 - distance(end_effector, target)
    return torch.minimum(there, gripper_width_m - 0.045)


# Stage 4: close the fingers around the red block
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.007])
    return -distance(path, target).mean() - 0.08 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.056 - gripper_width_m, gripper_width_m - 0.015)


# Stage 5: lift the red block straight up with closed fingers
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    up = torch.relu(0.20 - path[:, 2]).mean()
    drift = distance(path[:, :2], keypoints[6, :2]).mean()
    return -up - 0.5 * drift - post_cost(path, keypoints[9]) - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    lifted = keypoints[6, 2] - start_keypoints[6, 2] - 0.10
    held = gripper_width_m - 0.012
    return torch.minimum(lifted, held)
