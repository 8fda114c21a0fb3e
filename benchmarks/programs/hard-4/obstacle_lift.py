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

import numpy as np

num_stages = 6

OVER = np.array([0.0, 0.0, 0.20])
GRASP = np.array([0.0, 0.0, -0.012])

# Stage 1: rise above the height of the post
def stage1_guidance(keypoints, action_sequence):
    safe = keypoints[9, 2] + 0.15
    return -np.maximum(safe - action_sequence[0, 1:, 2], 0.0).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - (keypoints[9, 2] + 0.13)

# Stage 2: go over the red block at that height
def stage2_guidance(keypoints, action_sequence):
    target = keypoints[6] + OVER
    path = action_sequence[0, 1:]
    low = np.maximum(keypoints[9, 2] + 0.12 - path[:, 2], 0.0)
    return -np.linalg.norm(path - target, axis=-1).mean() - 2.0 * low.mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.02 - np.linalg.norm(end_effector - keypoints[6] - OVER)

# Stage 3: come straight down around the red block with open fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + GRASP
    path = action_sequence[0, 1:]
    side = np.linalg.norm(path[:, :2] - target[:2], axis=-1)
    return -np.linalg.norm(path - target, axis=-1).mean() - side.mean() - 0.1 * (1.0 - gripper[0, 1:].mean())

def stage3_done(keypoints, start_keypoints, end_effector):
    return 0.015 - np.linalg.norm(end_effector - keypoints[6] - GRASP)

# Stage 4: close the fingers
def stage4_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + GRASP
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return np.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 5: lift straight up
def stage5_guidance(keypoints, action_sequence, gripper):
    return -np.maximum(0.18 - action_sequence[0, 1:, 2], 0.0).mean() - 0.1 * gripper[0, 1:].mean()

def stage5_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.08

# Stage 6: hold it up, away from the post
def stage6_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    away = np.linalg.norm(path[:, :2] - keypoints[9, :2], axis=-1)
    return (-np.abs(path[:, 2] - 0.20).mean() - np.maximum(0.12 - away, 0.0).mean()
            - 0.1 * gripper[0, 1:].mean())

def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return np.minimum(keypoints[6, 2] - 0.15, gripper_width_m - 0.01)
