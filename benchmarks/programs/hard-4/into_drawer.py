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

UP = torch.tensor([0.0, 0.0, 1.0])

def d(a, b):
    return torch.norm(a - b + 1e-6, dim=-1)

# Stage 1: over the red block
def stage1_guidance(keypoints, action_sequence):
    return -d(action_sequence[0, 1:], keypoints[6] + 0.1 * UP).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - d(end_effector, keypoints[6] + 0.1 * UP)

# Stage 2: down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[6] - 0.01 * UP).mean() - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.015 - d(end_effector, keypoints[6] - 0.01 * UP)

# Stage 3: close the fingers
def stage3_guidance(keypoints, action_sequence, gripper):
    return -d(action_sequence[0, 1:], keypoints[6] - 0.01 * UP).mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.06 - gripper_width_m, gripper_width_m - 0.01)

# Stage 4: lift and carry to above the open drawer
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    goal = (keypoints[1] + keypoints[2]) / 2 + 0.2 * UP
    low = torch.relu(0.2 - path[:, 2]).mean()
    return -d(path, goal).mean() - 2 * low - 0.1 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    goal = (keypoints[1] + keypoints[2]) / 2 + 0.2 * UP
    return 0.025 - d(end_effector, goal)

# Stage 5: lower it into the drawer
def stage5_guidance(keypoints, action_sequence, gripper):
    goal = (keypoints[1] + keypoints[2]) / 2 + 0.05 * UP
    return -d(action_sequence[0, 1:], goal).mean() - 0.1 * gripper[0, 1:].mean()

def stage5_done(keypoints, start_keypoints, end_effector):
    goal = (keypoints[1] + keypoints[2]) / 2 + 0.05 * UP
    return 0.02 - d(end_effector, goal)

# Stage 6: open the fingers
def stage6_guidance(keypoints, action_sequence, gripper):
    return 0.1 * (gripper[0, 1:] - 1.0).mean()

def stage6_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.06

# Stage 7: rise, pass over the drawer front and stop on the robot's side of the handle
def stage7_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    goal = keypoints[0] + torch.tensor([-0.06, -0.012, 0.0])
    # the hand may only be low once it is on the near side of the handle
    beyond = torch.sigmoid((path[:, 0] - keypoints[0, 0] + 0.035) / 0.008)
    low = torch.relu(0.17 - path[:, 2]) * beyond
    return -d(path, goal).mean() - 4.0 * low.mean()

def stage7_done(keypoints, start_keypoints, end_effector):
    goal = keypoints[0] + torch.tensor([-0.06, -0.012, 0.0])
    return 0.02 - d(end_effector, goal)

# Stage 8: push the drawer shut
def stage8_guidance(keypoints, action_sequence, gripper):
    inside = (keypoints[1] + keypoints[2]) / 2
    direction = (inside - keypoints[0]) * torch.tensor([1.0, 1.0, 0.0])
    direction = direction / torch.norm(direction + 1e-6)
    goal = keypoints[0] + 0.06 * direction
    return -d(action_sequence[0, 1:], goal).mean() - 0.05 * gripper[0, 1:].mean()

def stage8_done(keypoints, start_keypoints, end_effector):
    return torch.norm(keypoints[0] - start_keypoints[0]) - 0.14
