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

import numpy as np

num_stages = 6

# Stage 1: come over the red block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[6] + np.array([0.0, 0.0, 0.10])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + np.array([0.0, 0.0, 0.10])
    return 0.015 - np.linalg.norm(end_effector - target)

# Stage 2: come down around the red block with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + np.array([0.0, 0.0, -0.01])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * (1.0 - gripper[0, 1:].mean())

def stage2_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + np.array([0.0, 0.0, -0.01])
    return 0.015 - np.linalg.norm(end_effector - target)

# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + np.array([0.0, 0.0, -0.01])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return np.minimum(0.055 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift the block
def stage4_guidance(keypoints, action_sequence, gripper):
    return -np.abs(action_sequence[0, 1:, 2] - 0.17).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return end_effector[2] - 0.15

# Stage 5: carry it over the yellow block and lower it onto it
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    top = keypoints[9] + np.array([0.0, 0.0, 0.04])
    side = np.sqrt(((path[:, :2] - top[:2]) ** 2).sum(axis=-1) + 1e-6)
    height = top[2] + np.minimum(2.0 * side, 0.1)
    return -side.mean() - np.abs(path[:, 2] - height).mean() - 0.1 * gripper[0, 1:].mean()

def stage5_done(keypoints, start_keypoints, end_effector):
    side = np.linalg.norm(keypoints[6, :2] - keypoints[9, :2])
    rise = keypoints[6, 2] - keypoints[9, 2]
    return np.minimum(0.015 - side, 0.056 - rise)

# Stage 6: let go and move up
def stage6_guidance(keypoints, action_sequence, gripper):
    up = np.maximum(0.18 - action_sequence[0, 8:, 2], 0.0).mean()
    return -0.2 * (1.0 - gripper[0, 1:].mean()) - 0.1 * up

def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return np.minimum(gripper_width_m - 0.06, end_effector[2] - keypoints[6, 2] - 0.03)
