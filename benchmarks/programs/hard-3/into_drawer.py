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

num_stages = 7

def smooth_norm(v):
    return torch.sqrt((v ** 2).sum(-1) + 1e-6)

def hop(path, target, clearance):
    # distance to the target for a hand that travels high and comes down over it
    side = smooth_norm(path[:, :2] - target[:2])
    wanted = target[2] + clearance * (1.0 - torch.exp(-(side / 0.04) ** 2))
    return (side + torch.abs(path[:, 2] - wanted)).mean()

def drawer_inside(keypoints):
    return (keypoints[1] + keypoints[2]) / 2.0 + torch.tensor([0.0, 0.0, 0.06])

# Stage 1: come down around the red block with open fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    return -hop(action_sequence[0, 1:], target, 0.1) - 0.1 * (1.0 - gripper[0, 1:]).mean()

def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    return 0.015 - smooth_norm(end_effector - target)

# Stage 2: close the fingers on the block
def stage2_guidance(keypoints, action_sequence, gripper):
    target = keypoints[6] + torch.tensor([0.0, 0.0, -0.005])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - 0.15 * gripper[0, 1:].mean()

def stage2_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.065 - gripper_width_m, gripper_width_m - 0.01)

# Stage 3: lift it
def stage3_guidance(keypoints, action_sequence, gripper):
    return -torch.relu(0.22 - action_sequence[0, 1:, 2]).mean() - 0.15 * gripper[0, 1:].mean()

def stage3_done(keypoints, start_keypoints, end_effector):
    return keypoints[6, 2] - start_keypoints[6, 2] - 0.14

# Stage 4: carry it over the drawer and down into it
def stage4_guidance(keypoints, action_sequence, gripper):
    return -hop(action_sequence[0, 1:], drawer_inside(keypoints), 0.15) - 0.15 * gripper[0, 1:].mean()

def stage4_done(keypoints, start_keypoints, end_effector):
    return 0.02 - smooth_norm(end_effector - drawer_inside(keypoints))

# Stage 5: let go of the block
def stage5_guidance(keypoints, action_sequence, gripper):
    stay = smooth_norm(action_sequence[0, 1:] - drawer_inside(keypoints)).mean()
    return -0.3 * stay - 0.15 * (1.0 - gripper[0, 1:]).mean()

def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return gripper_width_m - 0.055

# Stage 6: leave the drawer upwards and come down in front of the handle
def stage6_guidance(keypoints, action_sequence):
    target = keypoints[0] + torch.tensor([-0.07, -0.015, -0.005])
    return -hop(action_sequence[0, 1:], target, 0.16)

def stage6_done(keypoints, start_keypoints, end_effector):
    target = keypoints[0] + torch.tensor([-0.07, -0.015, -0.005])
    return 0.025 - smooth_norm(end_effector - target)

# Stage 7: push the drawer shut, fingers closed
def stage7_guidance(keypoints, action_sequence, gripper):
    inward = (keypoints[1] + keypoints[2])[:2] / 2.0 - keypoints[0, :2]
    inward = inward / smooth_norm(inward)
    target = torch.cat([keypoints[0, :2] + 0.1 * inward, keypoints[0, 2:]])
    return -smooth_norm(action_sequence[0, 1:] - target).mean() - 0.05 * gripper[0, 1:].mean()

def stage7_done(keypoints, start_keypoints, end_effector):
    return smooth_norm(keypoints[0] - start_keypoints[0]) - 0.13
