num_stages = 1
# Stage 1: move above the first keypoint; later points count more
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[0] + torch.tensor([0.0, 0.0, 0.05])
    distances = torch.norm(action_sequence - target, dim=-1)
    weights = torch.linspace(0.5, 1.5, distances.shape[1])
    return -(distances * weights).sum(dim=-1) / weights.sum()
