num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    s = (action_sequence - keypoints[0]).pow(2).sum(dim=-1)
    d = torch.where(s > 0, torch.sqrt(s), torch.zeros_like(s))
    return -d.mean()
