# Instruction: lift the long block
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the long block.

import numpy as np

num_stages = 4

# Stage 1: above the long block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[8] + np.array([0.0, 0.0, 0.10])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean()

# The block's long side runs to the robot's left and towards the robot, about 30 degrees
# off the y axis, so its short side points along (0.86, 0.50). The hand is ready when
# neither... the y axis of the hand (the way the fingers close) is not along the long side.
def stage1_done(keypoints, start_keypoints, end_effector, rotation):
    target = keypoints[8] + np.array([0.0, 0.0, 0.10])
    near = 0.02 - np.linalg.norm(end_effector - target)
    across = np.abs(rotation[0, 1] * 0.86 + rotation[1, 1] * 0.50)
    return np.minimum(near, across - 0.3)

# Stage 2: down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[8] + np.array([0.0, 0.0, -0.012])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * (1.0 - gripper[0, 1:].mean())

def stage2_done(keypoints, start_keypoints, end_effector):
    target = keypoints[8] + np.array([0.0, 0.0, -0.012])
    return 0.015 - np.linalg.norm(end_effector - target)

# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[8] + np.array([0.0, 0.0, -0.012])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return np.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift
def stage4_guidance(keypoints, action_sequence, gripper):
    return -np.maximum(0.2 - action_sequence[0, 1:, 2], 0.0).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[8, 2] - start_keypoints[8, 2] - 0.10
