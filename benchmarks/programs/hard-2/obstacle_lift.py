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

num_stages = 5

RED = 6
POST = 9


class C:
    TRAVEL_Z = 0.24        # well above the post
    HOVER = 0.10
    GRASP_OFFSET = -0.008
    LIFT_Z = 0.24
    POST_RADIUS = 0.11     # half a hand plus the post
    GRIP = 0.08


def norm(v):
    return torch.sqrt((v ** 2).sum(dim=-1) + 1e-8)


def future(action_sequence):
    return action_sequence[0, 1:]


def post_penalty(path, keypoints):
    """Depth by which the path enters a tall cylinder around the post."""
    side = norm(path[:, :2] - keypoints[POST, :2])
    inside = torch.relu(C.POST_RADIUS - side)
    below = torch.sigmoid((keypoints[POST, 2] + 0.13 - path[:, 2]) / 0.01)
    return (inside * below).mean()


def grasp_point(keypoints):
    return keypoints[RED] + torch.tensor([0.0, 0.0, C.GRASP_OFFSET])


# Stage 1: rise to a height that clears the post and go over the red block
def stage1_guidance(keypoints, action_sequence):
    path = future(action_sequence)
    side = norm(path[:, :2] - keypoints[RED, :2])
    height = torch.abs(path[:, 2] - C.TRAVEL_Z)
    return -(side + height).mean() - 5.0 * post_penalty(path, keypoints)


def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.025 - norm(end_effector[:2] - keypoints[RED, :2])


# Stage 2: descend to just above the red block
def stage2_guidance(keypoints, action_sequence, gripper):
    path = future(action_sequence)
    target = keypoints[RED] + torch.tensor([0.0, 0.0, C.HOVER])
    distance = norm(path - target).mean()
    return -distance - 5.0 * post_penalty(path, keypoints) - C.GRIP * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    target = keypoints[RED] + torch.tensor([0.0, 0.0, C.HOVER])
    return 0.02 - norm(end_effector - target)


# Stage 3: come down around the red block with open fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    path = future(action_sequence)
    target = grasp_point(keypoints)
    side = norm(path[:, :2] - target[:2]).mean()
    distance = norm(path - target).mean()
    return -distance - side - C.GRIP * (1.0 - gripper[0, 1:]).mean()


def stage3_done(keypoints, start_keypoints, end_effector):
    return 0.012 - norm(end_effector - grasp_point(keypoints))


# Stage 4: close the fingers around the red block
def stage4_guidance(keypoints, action_sequence, gripper):
    path = future(action_sequence)
    return -norm(path - grasp_point(keypoints)).mean() - C.GRIP * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.058 - gripper_width_m, gripper_width_m - 0.012)


# Stage 5: lift the red block straight up, fingers closed, away from the post
def stage5_guidance(keypoints, action_sequence, gripper):
    path = future(action_sequence)
    up = torch.relu(C.LIFT_Z - path[:, 2]).mean()
    side = norm(path[:, :2] - keypoints[RED, :2]).mean()
    return -up - 0.5 * side - 5.0 * post_penalty(path, keypoints) - C.GRIP * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector):
    return keypoints[RED, 2] - start_keypoints[RED, 2] - 0.12
