import torch

num_stages = 1

# Stage 1: come down on the block with the jaws along it and the fingers open
def stage1_guidance(keypoints, action_sequence, rotations, gripper):
    target = keypoints[2] + torch.tensor([0.0, 0.0, 0.02])
    distance = torch.norm(action_sequence - target, dim=-1)
    down = -rotations[..., 2, 2]
    weight = torch.linspace(0.5, 1.0, action_sequence.shape[1])
    cost = distance + 0.05 * (1.0 - down) + 0.08 * (1.0 - gripper)
    return -(weight * cost).sum() / weight.sum()
