# Instruction: put the red block into the drawer and shut it inside
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.

import torch

num_stages = 8

# The drawer stands open, turned a little to the left as one looks along x. Rows 1 and 2 lie on
# its floor, row 0 on its handle. It shuts away from the robot, from the handle towards the floor.
RED = 6
HANDLE = 0
CARRY_Z = 0.23


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


def lifted(point, dz):
    return point + torch.tensor([0.0, 0.0, dz])


def middle(keypoints):
    return 0.5 * (keypoints[1] + keypoints[2])


def inward(keypoints):
    v = (middle(keypoints) - keypoints[HANDLE]) * torch.tensor([1.0, 1.0, 0.0])
    return v / torch.sqrt(torch.sum(v * v) + 1e-6)


# Stage 1: go above the red block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    return -distance(path, lifted(keypoints[RED], 0.12)).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - distance(end_effector, lifted(keypoints[RED], 0.12))


# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = lifted(keypoints[RED], -0.004)
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.013 - distance(end_effector, lifted(keypoints[RED], -0.004))


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -distance(path, lifted(keypoints[RED], -0.004)).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.056 - gripper_width_m, gripper_width_m - 0.015)


# Stage 4: lift the block and carry it high over the middle of the open drawer
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    goal = middle(keypoints)
    side = distance(path[:, :2], goal[:2])
    # while the hand is low it should first rise: the sideways pull grows with the height
    free = torch.sigmoid((path[:, 2] - 0.17) / 0.01).detach()
    rise = torch.abs(CARRY_Z - path[:, 2])
    return -(side * (0.1 + 0.9 * free)).mean() - rise.mean() - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    over = 0.025 - distance(end_effector[:2], middle(keypoints)[:2])
    return torch.minimum(over, end_effector[2] - 0.19)


# Stage 5: lower the block to the drawer's floor
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    block = path + (keypoints[RED] - action_sequence[0, 0])
    target = lifted(middle(keypoints), 0.035)
    return -distance(block, target).mean() - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    side = 0.04 - distance(keypoints[RED, :2], middle(keypoints)[:2])
    low = middle(keypoints)[2] + 0.055 - keypoints[RED, 2]
    return torch.minimum(side, low)


# Stage 6: open the fingers, then rise above the drawer's edge
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    late = torch.linspace(0.0, 1.0, 16)
    rise = (late * torch.relu(0.20 - path[:, 2])).mean()
    return -0.2 * (1.0 - gripper[0, 1:]).mean() - 0.3 * rise


def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(gripper_width_m - 0.055, end_effector[2] - 0.16)


# Stage 7: pass over the handle and come down on its near side
def stage7_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[HANDLE] - 0.06 * inward(keypoints)
    side = distance(path[:, :2], target[:2])
    height = target[2] + 0.13 * torch.sigmoid((side - 0.03) / 0.006)
    return -side.mean() - torch.abs(path[:, 2] - height).mean() - 0.03 * gripper[0, 1:].mean()


def stage7_done(keypoints, start_keypoints, end_effector):
    target = keypoints[HANDLE] - 0.06 * inward(keypoints)
    return 0.022 - distance(end_effector, target)


# Stage 8: push the handle until the drawer is shut with the block inside
def stage8_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[HANDLE] + 0.09 * inward(keypoints)
    return -distance(path, target).mean() - 0.05 * gripper[0, 1:].mean()


def stage8_done(keypoints, start_keypoints, end_effector):
    pushed = torch.sum((keypoints[HANDLE] - start_keypoints[HANDLE]) * inward(start_keypoints))
    return pushed - 0.13
