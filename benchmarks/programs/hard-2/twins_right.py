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

# "Right" in the robot's frame is -y: red block 1 (keypoint 8, y = 0.041) lies right of
# red block 2 (keypoint 9, y = 0.158).

num_stages = 5


class Config:
    block = 8
    neighbour = 9
    hover = 0.13
    grasp = -0.004
    lift = 0.22
    grip = 0.1


def length(v):
    return torch.sqrt(torch.sum(v * v, dim=-1) + 1e-9)


def above(keypoints, dz):
    return keypoints[Config.block] + torch.tensor([0.0, 0.0, dz])


# Stage 1: travel at a safe height to a point over the right red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    low = torch.relu(0.10 - path[:, 2])
    near = torch.relu(0.08 - length(path[:, :2] - keypoints[Config.neighbour, :2]))
    return -length(path - above(keypoints, Config.hover)).mean() - 8.0 * (low * near).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - length(end_effector - above(keypoints, Config.hover))


# Stage 2: open the fingers while coming half way down
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -length(path - above(keypoints, 0.07)).mean() - Config.grip * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    near = 0.015 - length(end_effector - above(keypoints, 0.07))
    wide = gripper_width_m - 0.06
    return torch.minimum(near, wide)


# Stage 3: come down around the block
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = above(keypoints, Config.grasp)
    return (-length(path - target).mean() - length(path[:, :2] - target[:2]).mean()
            - Config.grip * (1.0 - gripper[0, 1:]).mean())


def stage3_done(keypoints, start_keypoints, end_effector):
    return 0.012 - length(end_effector - above(keypoints, Config.grasp))


# Stage 4: close the fingers around the block
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -length(path - above(keypoints, Config.grasp)).mean() - Config.grip * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.058 - gripper_width_m, gripper_width_m - 0.012)


# Stage 5: lift the block
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(Config.lift - path[:, 2]).mean() - Config.grip * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return keypoints[Config.block, 2] - start_keypoints[Config.block, 2] - 0.12
