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

import numpy as np

num_stages = 4

HOVER = np.array([0.0, 0.0, 0.10])

# Stage 1: hover over red block 1, which is the right one (smaller y)
def stage1_guidance(keypoints, action_sequence):
    d = np.linalg.norm(action_sequence[0, 1:] - (keypoints[8] + HOVER), axis=-1)
    return -d.mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.015 - np.linalg.norm(end_effector - (keypoints[8] + HOVER))

# Stage 2: come down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    d = np.linalg.norm(action_sequence[0, 1:] - keypoints[8], axis=-1)
    return -d.mean() - 0.05 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.01 - np.linalg.norm(end_effector - keypoints[8])

# Stage 3: close the fingers around it
def stage3_guidance(keypoints, action_sequence, gripper):
    d = np.linalg.norm(action_sequence[0, 1:] - keypoints[8], axis=-1)
    return -d.mean() - 0.05 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return np.minimum(0.07 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift it by 10 cm
def stage4_guidance(keypoints, action_sequence, gripper):
    d = np.linalg.norm(action_sequence[0, 1:] - (keypoints[8] + np.array([0.0, 0.0, 0.08])), axis=-1)
    return -d.mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[8, 2] - start_keypoints[8, 2] - 0.10
