# Instruction: pull the bar out of its housing and hold it
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the red block.
# Keypoint 4 is the blue block.
# Keypoint 5 is the pink block.
# Keypoint 6 is the bar.
# Keypoint 7 is the housing.

import torch

num_stages = 4

GRIP = 0.2

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

def pull_direction(keypoints):
    d = keypoints[6, :2] - keypoints[7, :2]
    d = d / smooth_norm(d)
    return torch.stack([d[0], d[1], torch.tensor(0.0)])

# Stage 1: come down around the bar with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.01])
    side = smooth_norm(path[:, :2] - target[:2])
    wanted = target[2] + 0.1 * (1.0 - torch.exp(-(side / 0.03) ** 2))
    return -(side + torch.abs(path[:, 2] - wanted)).mean() - GRIP * (1.0 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.01])
    return 0.012 - smooth_norm(end_effector - target)

# Stage 2: close the fingers firmly
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.01])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - GRIP * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.05 - gripper_width_m, gripper_width_m - 0.005)

# Stage 3: pull it out of the housing along its own direction
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.01]) + 0.08 * pull_direction(keypoints)
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - GRIP * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    d = pull_direction(start_keypoints)
    return torch.dot(keypoints[6] - start_keypoints[6], d) - 0.11

# Stage 4: lift it a little and hold it
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.abs(0.12 - path[:, 2]).mean() - GRIP * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(end_effector[2] - 0.10, gripper_width_m - 0.005)
