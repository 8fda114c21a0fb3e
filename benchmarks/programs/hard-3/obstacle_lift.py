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

num_stages = 3

GRIP = 0.2

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

# Height the hand should keep at a given horizontal distance from the block:
# a funnel that is high far away and comes down over the block.
def funnel(side, low, high):
    return low + (high - low) * torch.clamp((side - 0.015) / 0.06, 0.0, 1.0)

# Stage 1: travel above the post, then come down around the red block with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    red = keypoints[6]
    side = smooth_norm(path[:, :2] - red[:2])
    wanted = funnel(side, red[2] - 0.01, 0.25)
    height_error = torch.abs(path[:, 2] - wanted)
    post = smooth_norm(path[:, :2] - keypoints[9, :2])
    near_post = torch.relu(0.12 - post) * torch.sigmoid((0.20 - path[:, 2]) * 50.0)
    return -(side + height_error).mean() - 3.0 * near_post.mean() - GRIP * (1.0 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] - torch.tensor([0.0, 0.0, 0.01])
    return 0.015 - smooth_norm(end_effector - target)

# Stage 2: close the fingers on the red block
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] - torch.tensor([0.0, 0.0, 0.01])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - GRIP * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.065 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift the red block straight up
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = torch.cat([keypoints[6, :2], torch.tensor([0.22])])
    post = smooth_norm(path[:, :2] - keypoints[9, :2])
    return (-smooth_norm(path - target).mean() - 2.0 * torch.relu(0.12 - post).mean()
            - GRIP * gripper[0, 1:].mean())

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.12
