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

HANDLE, FLOOR_A, FLOOR_B, RED = 0, 1, 2, 6


class P:
    hover = 0.12
    carry_z = 0.24
    drop = 0.060          # end effector above the drawer floor when it lets go
    grip = 0.1
    push_gap = 0.06
    travel = 0.12         # how far the drawer has to go in


def norm(v):
    return torch.sqrt((v * v).sum(dim=-1) + 1e-8)


def up(point, dz):
    return point + torch.tensor([0.0, 0.0, dz])


def inside(keypoints):
    """The middle of the drawer floor."""
    return 0.5 * (keypoints[FLOOR_A] + keypoints[FLOOR_B])


def shut_direction(keypoints):
    """Horizontal unit vector from the handle into the drawer: the way it shuts."""
    d = inside(keypoints)[:2] - keypoints[HANDLE, :2]
    d = d / torch.sqrt((d * d).sum() + 1e-6)
    return torch.cat([d, torch.zeros(1)])


# Stage 1: come over the red block
def stage1_guidance(keypoints, action_sequence):
    return -norm(action_sequence[0, 1:] - up(keypoints[RED], P.hover)).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - norm(end_effector - up(keypoints[RED], P.hover))


# Stage 2: come down around the red block with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = up(keypoints[RED], -0.005)
    sideways = norm(path[:, :2] - target[:2]).mean()
    return -norm(path - target).mean() - sideways - P.grip * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.013 - norm(end_effector - up(keypoints[RED], -0.005))


# Stage 3: close the fingers around the red block
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -norm(path - up(keypoints[RED], -0.005)).mean() - P.grip * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.012)


# Stage 4: lift the block and carry it over the open drawer
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    goal = inside(keypoints)
    side = norm(path[:, :2] - goal[:2]).mean()
    height = torch.abs(path[:, 2] - P.carry_z).mean()
    return -side - 3.0 * height - P.grip * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector):
    return 0.025 - norm(keypoints[RED, :2] - inside(keypoints)[:2])


# Stage 5: lower the block into the drawer
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = up(inside(keypoints), P.drop)
    return -norm(path - target).mean() - P.grip * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.02 - norm(end_effector - up(inside(keypoints), P.drop))


# Stage 6: open the fingers and rise out of the drawer
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    open_fingers = P.grip * (1.0 - gripper[0, 1:]).mean()
    rise = torch.relu(0.20 - path[:, 2]) * gripper[0, 1:]
    return -open_fingers - 0.3 * rise.mean()


def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(gripper_width_m - 0.06, end_effector[2] - 0.17)


# Stage 7: come down in front of the handle, on the robot's side of it
def stage7_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = keypoints[HANDLE] - P.push_gap * shut_direction(keypoints)
    side = norm(path[:, :2] - target[:2])
    height = target[2] + 0.14 * (1.0 - torch.exp(-(side / 0.05) ** 2))
    return -side.mean() - torch.abs(path[:, 2] - height).mean()


def stage7_done(keypoints, start_keypoints, end_effector):
    target = keypoints[HANDLE] - P.push_gap * shut_direction(keypoints)
    return 0.02 - norm(end_effector - target)


# Stage 8: push the handle until the drawer is shut
def stage8_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = keypoints[HANDLE] + 0.08 * shut_direction(keypoints)
    return -norm(path - target).mean() - 0.05 * gripper[0, 1:].mean()


def stage8_done(keypoints, start_keypoints, end_effector):
    moved = keypoints[HANDLE] - start_keypoints[HANDLE]
    return (moved * shut_direction(start_keypoints)).sum() - P.travel
