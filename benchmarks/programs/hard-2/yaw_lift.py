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

num_stages = 5

LONG = 8


class K:
    hover = 0.12
    pre = 0.06
    grasp = -0.008
    lift_z = 0.22
    grip = 0.1


def norm(v):
    return torch.sqrt((v * v).sum(dim=-1) + 1e-8)


def up(p, dz):
    return p + torch.tensor([0.0, 0.0, dz])


# Stage 1: come over the middle of the long block
def stage1_guidance(keypoints, action_sequence):
    return -norm(action_sequence[0, 1:] - up(keypoints[LONG], K.hover)).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - norm(end_effector - up(keypoints[LONG], K.hover))


# Stage 2: come closer and open the fingers wide; the policy turns the hand across the block
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -norm(path - up(keypoints[LONG], K.pre)).mean() - K.grip * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    near = 0.015 - norm(end_effector - up(keypoints[LONG], K.pre))
    return torch.minimum(near, gripper_width_m - 0.065)


# Stage 3: come down around the block with open fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = up(keypoints[LONG], K.grasp)
    side = norm(path[:, :2] - target[:2]).mean()
    return -norm(path - target).mean() - side - K.grip * (1.0 - gripper[0, 1:]).mean()


def stage3_done(keypoints, start_keypoints, end_effector):
    return 0.013 - norm(end_effector - up(keypoints[LONG], K.grasp))


# Stage 4: close the fingers around the short side of the block
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -norm(path - up(keypoints[LONG], K.grasp)).mean() - K.grip * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.055 - gripper_width_m, gripper_width_m - 0.012)


# Stage 5: lift the block
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = norm(path[:, :2] - keypoints[LONG, :2]).mean()
    return -torch.relu(K.lift_z - path[:, 2]).mean() - 0.3 * side - K.grip * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return keypoints[LONG, 2] - start_keypoints[LONG, 2] - 0.12
