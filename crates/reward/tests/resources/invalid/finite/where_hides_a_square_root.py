num_stages = 1

# Stage 1: reach the block smoothly
def stage1_guidance(keypoints, action_sequence):
    s = action_sequence.diff(dim=1).pow(2).sum(dim=-1)
    d = torch.where(s > 0, torch.sqrt(s), torch.zeros_like(s))
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean() - d.mean()
