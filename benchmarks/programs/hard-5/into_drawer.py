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
import torch.nn.functional as F

num_stages = 8

W = torch.linspace(0.3, 1.0, 16)
W = W / W.sum()


def dist(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=-1) + 1e-8)


def weighted(x):
    return (W * x).sum()


def over(point, dz):
    return point + torch.tensor([0.0, 0.0, dz])


def floor_centre(keypoints):
    return 0.5 * (keypoints[1] + keypoints[2])


# horizontal unit vector along which the drawer goes in: across the line of its two marks,
# pointing away from the robot
def inward(keypoints):
    across = keypoints[1, :2] - keypoints[2, :2]
    n = torch.stack([across[1], -across[0]])
    n = n / torch.sqrt((n ** 2).sum() + 1e-6)
    return torch.stack([n[0], n[1], torch.tensor(0.0)])


# Stage 1: hover over the red block
def stage1_guidance(keypoints, action_sequence):
    return -weighted(dist(action_sequence[0, 1:], over(keypoints[6], 0.13)))


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.025 - dist(end_effector, over(keypoints[6], 0.13))


# Stage 2: come down around it, fingers open
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = dist(path[:, :2], keypoints[6, :2]).mean()
    return -weighted(dist(path, keypoints[6])) - side - 0.1 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.013 - dist(end_effector, keypoints[6])


# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    return -dist(action_sequence[0, 1:], keypoints[6]).mean() - 0.1 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)


# Stage 4: lift the block, then bring it over the drawer
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = weighted(dist(path[:, :2], floor_centre(keypoints)[:2]))
    low = F.relu(0.22 - path[:, 2]).mean()
    return -side - 4.0 * low - 0.1 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    side = 0.025 - dist(end_effector[:2], floor_centre(keypoints)[:2])
    return torch.minimum(side, end_effector[2] - 0.18)


# Stage 5: lower it into the drawer
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = over(floor_centre(keypoints), 0.07)
    return -weighted(dist(path, target)) - 0.1 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.02 - dist(end_effector, over(floor_centre(keypoints), 0.07))


# Stage 6: release the block and rise
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -0.2 * (1.0 - gripper[0, 1:]).mean() - 0.3 * weighted(F.relu(0.2 - path[:, 2]))


def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(gripper_width_m - 0.055, end_effector[2] - 0.16)


# Stage 7: get in front of the handle, over it and down on the robot's side
def stage7_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = keypoints[0] - 0.07 * inward(keypoints)
    depth = ((path - target) * inward(keypoints)).sum(dim=-1)
    # safe height wherever the hand is still past the target towards the drawer
    must = target[2] + 0.13 * torch.sigmoid((depth - 0.03) / 0.01)
    low = F.relu(must - path[:, 2])
    return -weighted(dist(path, target)) - 3.0 * low.mean()


def stage7_done(keypoints, start_keypoints, end_effector):
    return 0.025 - dist(end_effector, keypoints[0] - 0.07 * inward(keypoints))


# Stage 8: push the handle inwards until the drawer is shut
def stage8_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[0] + 0.08 * inward(keypoints)
    return -weighted(dist(path, target)) - 0.05 * gripper[0, 1:].mean()


def stage8_done(keypoints, start_keypoints, end_effector):
    moved = ((keypoints[0] - start_keypoints[0]) * inward(start_keypoints)).sum()
    return moved - 0.11
