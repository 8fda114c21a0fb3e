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

import numpy as np

num_stages = 5

# Stage 1: come down around the red block with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = np.sqrt(((path[:, :2] - keypoints[6, :2]) ** 2).sum(axis=-1) + 1e-6)
    height = keypoints[6, 2] + np.minimum(2.0 * side, 0.12)
    return -side.mean() - np.abs(path[:, 2] - height).mean() - 0.1 * (1.0 - gripper[0, 1:].mean())

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - np.linalg.norm(end_effector - keypoints[6])

# Stage 2: close the fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    return -np.linalg.norm(action_sequence[0, 1:] - keypoints[6], axis=-1).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return np.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift the block
def stage3_guidance(keypoints, action_sequence, gripper):
    return -np.maximum(0.15 - action_sequence[0, 1:, 2], 0.0).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.08

# Stage 4: carry it to the slot between the walls and lower it there
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    slot = (keypoints[9] + keypoints[10]) / 2.0
    side = np.sqrt(((path[:, :2] - slot[:2]) ** 2).sum(axis=-1) + 1e-6)
    height = slot[2] + 0.015 + np.minimum(3.0 * side, 0.1)
    return -2.0 * side.mean() - np.abs(path[:, 2] - height).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    slot = (keypoints[9] + keypoints[10]) / 2.0
    side = np.linalg.norm(keypoints[6, :2] - slot[:2])
    return np.minimum(0.015 - side, 0.042 - keypoints[6, 2])

# Stage 5: let go
def stage5_guidance(keypoints, action_sequence, gripper):
    return -0.1 * (1.0 - gripper[0, 1:].mean())

def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.065
