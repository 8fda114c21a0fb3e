# Instruction: stack the red block on the yellow block
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the yellow block.

import torch

num_stages = 7

RED = 6
YELLOW = 9


class K:
    hover = 0.12
    grasp = -0.006
    carry_z = 0.20
    above_yellow = 0.10
    stack = 0.042        # red keypoint above the yellow keypoint when it rests on it
    grip = 0.1


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


def raised(p, dz):
    return p + torch.tensor([0.0, 0.0, dz])


def carried(keypoints, action_sequence):
    """Where the red block would go if it moved with the end effector."""
    return action_sequence[0, 1:] + (keypoints[RED] - action_sequence[0, 0])


# Stage 1: hover over the red block
def stage1_guidance(keypoints, action_sequence):
    return -dist(action_sequence[0, 1:], raised(keypoints[RED], K.hover)).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - dist(end_effector, raised(keypoints[RED], K.hover))


# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = raised(keypoints[RED], K.grasp)
    return (-dist(path, target).mean() - dist(path[:, :2], target[:2]).mean()
            - K.grip * (1.0 - gripper[0, 1:]).mean())


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.012 - dist(end_effector, raised(keypoints[RED], K.grasp))


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -dist(path, raised(keypoints[RED], K.grasp)).mean() - K.grip * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.012)


# Stage 4: lift the red block straight up
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(K.carry_z - path[:, 2]).mean() - K.grip * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[RED, 2] - start_keypoints[RED, 2] - 0.10


# Stage 5: carry it over the yellow block
def stage5_guidance(keypoints, action_sequence, gripper):
    block = carried(keypoints, action_sequence)
    target = raised(keypoints[YELLOW], K.above_yellow)
    return -dist(block, target).mean() - K.grip * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.012 - dist(keypoints[RED], raised(keypoints[YELLOW], K.above_yellow))


# Stage 6: lower it onto the yellow block
def stage6_guidance(keypoints, action_sequence, gripper):
    block = carried(keypoints, action_sequence)
    target = raised(keypoints[YELLOW], K.stack)
    side = dist(block[:, :2], target[:2]).mean()
    return -dist(block, target).mean() - side - K.grip * gripper[0, 1:].mean()


def stage6_done(keypoints, start_keypoints, end_effector):
    side = 0.015 - dist(keypoints[RED, :2], keypoints[YELLOW, :2])
    low = 0.055 - (keypoints[RED, 2] - keypoints[YELLOW, 2])
    return torch.minimum(side, low)


# Stage 7: open the fingers, then back off upwards
def stage7_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    steps = torch.linspace(0.0, 1.0, 16)
    rise = torch.relu(keypoints[YELLOW, 2] + 0.15 - path[:, 2])
    return -K.grip * (1.0 - gripper[0, 1:]).mean() - 0.2 * (steps * rise).mean()


def stage7_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    clear = end_effector[2] - keypoints[RED, 2] - 0.04
    return torch.minimum(gripper_width_m - 0.06, clear)
