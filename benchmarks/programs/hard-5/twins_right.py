# Instruction: lift the right one of the red blocks
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
import torch.nn.functional as F

num_stages = 4

# Right of the robot is negative y; of rows 8 and 9 the block with the smaller y is meant.


def right_red(keypoints):
    ys = torch.stack([keypoints[8, 1], keypoints[9, 1]])
    w = torch.softmax(-ys / 0.004, dim=0)
    return w[0] * keypoints[8] + w[1] * keypoints[9]


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


# Stage 1: move over the right red block
def stage1_guidance(keypoints, action_sequence):
    target = right_red(keypoints) + torch.tensor([0.0, 0.0, 0.13])
    return -dist(action_sequence[0, 1:], target).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    target = right_red(keypoints) + torch.tensor([0.0, 0.0, 0.13])
    return 0.02 - dist(end_effector, target)


# Stage 2: descend around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = right_red(keypoints) + torch.tensor([0.0, 0.0, -0.007])
    side = dist(path[:, :2], target[:2])
    return -dist(path, target).mean() - 0.5 * side.mean() - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    target = right_red(keypoints) + torch.tensor([0.0, 0.0, -0.007])
    return 0.014 - dist(end_effector, target)


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    target = right_red(keypoints) + torch.tensor([0.0, 0.0, -0.007])
    return -dist(action_sequence[0, 1:], target).mean() - 0.08 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.012)


# Stage 4: lift it
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -F.relu(0.2 - path[:, 2]).mean() - 0.08 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return right_red(keypoints)[2] - right_red(start_keypoints)[2] - 0.1
