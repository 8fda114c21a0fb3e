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

import torch

num_stages = 6

GRIP = 0.15

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

def slot_centre(keypoints):
    return (keypoints[9] + keypoints[10]) / 2.0

# Stage 1: above the red block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.1])
    return -smooth_norm(action_sequence[0, 1:] - target).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, 0.1])
    return 0.02 - smooth_norm(end_effector - target)

# Stage 2: down around it, open
def stage2_guidance(keypoints, action_sequence, gripper):
    return -smooth_norm(action_sequence[0, 1:] - keypoints[6]).mean() - GRIP * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - smooth_norm(end_effector - keypoints[6])

# Stage 3: close
def stage3_guidance(keypoints, action_sequence, gripper):
    return -smooth_norm(action_sequence[0, 1:] - keypoints[6]).mean() - GRIP * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.065 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift and bring it over the slot
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    side = smooth_norm(path[:, :2] - slot_centre(keypoints)[:2]).mean()
    height = torch.abs(path[:, 2] - 0.14).mean()
    return -side - 2.0 * height - GRIP * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    side = 0.01 - smooth_norm(keypoints[6, :2] - slot_centre(keypoints)[:2])
    up = end_effector[2] - 0.10
    return torch.minimum(side, up)

# Stage 5: lower it between the walls
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    # the block hangs off the end effector by a constant offset
    block = path + keypoints[6] - action_sequence[0, 0]
    target = torch.cat([slot_centre(keypoints)[:2], torch.tensor([0.03])])
    return -smooth_norm(block - target).mean() - GRIP * gripper[0, 1:].mean()

def stage5_done(keypoints, start_keypoints, end_effector):
    return 0.04 - keypoints[6, 2]

# Stage 6: open the fingers
def stage6_guidance(keypoints, action_sequence, gripper):
    return -GRIP * (1.0 - gripper[0, 1:]).mean()

def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.055
