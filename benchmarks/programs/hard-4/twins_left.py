# Instruction: lift the left one of the red blocks
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

import torch

num_stages = 3

# The left one, seen from the robot (y to its left), is red block 2: keypoint 9.

# Stage 1: reach around the left red block with open fingers, from above
def stage1_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    red = keypoints[9]
    side = torch.sqrt(((path[:, :2] - red[:2]) ** 2).sum(dim=1) + 1e-6)
    # outside 3 cm keep at least 10 cm over the table, inside come down to the block
    floor = torch.sigmoid((side - 0.03) / 0.008) * 0.10
    too_low = torch.relu(floor - path[:, 2])
    down = torch.abs(path[:, 2] - (red[2] - 0.005))
    return -side.mean() - 0.5 * down.mean() - 3.0 * too_low.mean() - 0.1 * (1 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    red = keypoints[9] + torch.tensor([0.0, 0.0, -0.005])
    return 0.014 - torch.norm(end_effector - red)

# Stage 2: grasp it
def stage2_guidance(keypoints, action_sequence, gripper):
    red = keypoints[9] + torch.tensor([0.0, 0.0, -0.005])
    d = torch.norm(action_sequence[0, 1:] - red, dim=1)
    return -d.mean() - 0.1 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return min(0.055 - gripper_width_m, gripper_width_m - 0.015)

# Stage 3: lift it
def stage3_guidance(keypoints, action_sequence, gripper):
    up = torch.relu(0.18 - action_sequence[0, 1:, 2])
    return -up.mean() - 0.1 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[9, 2] - start_keypoints[9, 2] - 0.08
