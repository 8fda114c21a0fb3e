# Instruction: put the red block into the slot
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the slot wall 1.
# Keypoint 10 is the slot wall 2.

import torch

num_stages = 7

RED = 6
WALL_1 = 9
WALL_2 = 10


class K:
    hover = 0.12
    grasp = 0.002
    carry_z = 0.18
    hover_slot = 0.08
    grip = 0.1


def norm(v):
    return torch.sqrt((v * v).sum(dim=-1) + 1e-8)


def up(p, dz):
    return p + torch.tensor([0.0, 0.0, dz])


def slot(keypoints):
    """The middle of the gap between the two walls."""
    return 0.5 * (keypoints[WALL_1] + keypoints[WALL_2])


def across(keypoints):
    """Horizontal unit vector from wall to wall."""
    d = keypoints[WALL_2, :2] - keypoints[WALL_1, :2]
    return d / torch.sqrt((d * d).sum() + 1e-6)


def block_path(keypoints, action_sequence):
    return action_sequence[0, 1:] + (keypoints[RED] - action_sequence[0, 0])


# Stage 1: come over the red block
def stage1_guidance(keypoints, action_sequence):
    return -norm(action_sequence[0, 1:] - up(keypoints[RED], K.hover)).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - norm(end_effector - up(keypoints[RED], K.hover))


# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = up(keypoints[RED], K.grasp)
    return (-norm(path - target).mean() - norm(path[:, :2] - target[:2]).mean()
            - K.grip * (1.0 - gripper[0, 1:]).mean())


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - norm(end_effector - up(keypoints[RED], K.grasp))


# Stage 3: close the fingers around the block
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -norm(path - up(keypoints[RED], K.grasp)).mean() - K.grip * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.058 - gripper_width_m, gripper_width_m - 0.012)


# Stage 4: lift it straight up
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(K.carry_z - path[:, 2]).mean() - K.grip * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[RED, 2] - 0.12


# Stage 5: bring the block over the slot
def stage5_guidance(keypoints, action_sequence, gripper):
    block = block_path(keypoints, action_sequence)
    target = up(slot(keypoints), K.hover_slot)
    return -norm(block - target).mean() - K.grip * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.010 - norm(keypoints[RED] - up(slot(keypoints), K.hover_slot))


# Stage 6: lower the block between the walls, well centred across the gap
def stage6_guidance(keypoints, action_sequence, gripper):
    block = block_path(keypoints, action_sequence)
    target = up(slot(keypoints), 0.010)
    offset = ((block[:, :2] - target[:2]) * across(keypoints)).sum(dim=-1)
    return -norm(block - target).mean() - 2.0 * torch.abs(offset).mean() - K.grip * gripper[0, 1:].mean()


def stage6_done(keypoints, start_keypoints, end_effector):
    low = 0.038 - keypoints[RED, 2]
    side = 0.02 - norm(keypoints[RED, :2] - slot(keypoints)[:2])
    return torch.minimum(low, side)


# Stage 7: let go and back off upwards
def stage7_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    late = torch.linspace(0.0, 1.0, 16)
    rise = torch.relu(0.15 - path[:, 2])
    return -K.grip * (1.0 - gripper[0, 1:]).mean() - 0.2 * (late * rise).mean()


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(gripper_width_m - 0.06, end_effector[2] - 0.10)
