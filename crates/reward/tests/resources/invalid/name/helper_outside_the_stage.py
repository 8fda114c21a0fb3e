import torch

num_stages = 1

def distance_to(points, target):
    return torch.norm(points - target, dim=-1)

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    return -distance_to(action_sequence, keypoints[0]).mean()
