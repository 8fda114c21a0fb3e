# Instruction: press the latch down and slide it to the left
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the door handle.
# Keypoint 4 is the door 1.
# Keypoint 5 is the door 2.
# Keypoint 6 is the red block.
# Keypoint 7 is the blue block.
# Keypoint 8 is the pink block.
# Keypoint 9 is the latch.
# Keypoint 10 is the latch carriage.
# Keypoint 11 is the latch plate.

import numpy as np

num_stages = 4

# Stage 1: over the latch
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[9] + np.array([0.0, 0.0, 0.06])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[9] + np.array([0.0, 0.0, 0.06])
    return 0.015 - np.linalg.norm(end_effector - target)

# Stage 2: close the fingers into one tip
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + np.array([0.0, 0.0, 0.05])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return 0.01 - gripper_width_m

# Stage 3: press the latch down
def stage3_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + np.array([0.0, 0.0, -0.03])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return start_keypoints[9, 2] - keypoints[9, 2] - 0.007

# Stage 4: slide it left while pressing
def stage4_guidance(keypoints, action_sequence, gripper):
    target = keypoints[9] + np.array([-0.02, 0.07, -0.025])
    return -np.linalg.norm(action_sequence[0, 1:] - target, axis=-1).mean() - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return keypoints[10, 1] - start_keypoints[10, 1] - 0.05
