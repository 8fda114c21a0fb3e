num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = torch.ones(15)
    weights[-3:] = torch.tensor([2.0, 4.0])
    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -(weights * d).mean()
