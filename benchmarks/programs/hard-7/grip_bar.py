# Instruction: pull the bar out of its housing and hold it
# Keypoint 0 is the drawer handle.
# Keypoint 1 is the drawer 1.
# Keypoint 2 is the drawer 2.
# Keypoint 3 is the red block.
# Keypoint 4 is the blue block.
# Keypoint 5 is the pink block.
# Keypoint 6 is the bar.
# Keypoint 7 is the housing.

import torch

num_stages = 5

# The bar sticks out of the housing on the robot's side. It comes out along the line from the
# housing to the bar; any sideways pull would jam it.
BAR = 6
HOUSING = 7
GRASP_DZ = -0.006


def distance(points, target):
    return torch.sqrt(torch.sum((points - target) ** 2, dim=-1) + 1e-8)


def out(keypoints):
    v = (keypoints[BAR] - keypoints[HOUSING]) * torch.tensor([1.0, 1.0, 0.0])
    return v / torch.sqrt(torch.sum(v * v) + 1e-6)


def grasp(keypoints):
    return keypoints[BAR] + torch.tensor([0.0, 0.0, GRASP_DZ])


# Stage 1: go above the bar
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0, 1:]
    target = keypoints[BAR] + torch.tensor([0.0, 0.0, 0.11])
    return -distance(path, target).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    target = keypoints[BAR] + torch.tensor([0.0, 0.0, 0.11])
    return 0.02 - distance(end_effector, target)


# Stage 2: come straight down around it with open fingers
def stage2_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    target = grasp(keypoints)
    side = distance(path[:, :2], target[:2]).mean()
    return -distance(path, target).mean() - side - 0.08 * (1.0 - gripper[0, 1:]).mean()


def stage2_done(keypoints, start_keypoints, end_effector):
    return 0.011 - distance(end_effector, grasp(keypoints))


# Stage 3: close the fingers on the bar
def stage3_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -distance(path, grasp(keypoints)).mean() - 0.15 * gripper[0, 1:].mean()


def stage3_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    return torch.minimum(0.045 - gripper_width_m, gripper_width_m - 0.006)


# Stage 4: pull the bar straight out, fingers tight
def stage4_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    direction = out(keypoints)
    rel = path - action_sequence[0, 0]
    along = torch.sum(rel * direction, dim=-1)
    across = rel - along.unsqueeze(-1) * direction
    off = torch.sqrt(torch.sum(across * across, dim=-1) + 1e-8)
    return -torch.relu(0.08 - along).mean() - 2.0 * off.mean() - 0.2 * gripper[0, 1:].mean()


def stage4_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    pulled = torch.sum((keypoints[BAR] - start_keypoints[BAR]) * out(start_keypoints)) - 0.12
    return torch.minimum(pulled, gripper_width_m - 0.004)


# Stage 5: raise it a little and hold it
def stage5_guidance(keypoints, action_sequence, gripper):
    path = action_sequence[0, 1:]
    return -torch.relu(0.13 - path[:, 2]).mean() - 0.2 * gripper[0, 1:].mean()


def stage5_done(keypoints, start_keypoints, end_effector, gripper_width_m):
    raised = keypoints[BAR, 2] - start_keypoints[BAR, 2] - 0.05
    return torch.minimum(raised, gripper_width_m - 0.004)
