num_stages = 1

# Stage 1: reach whichever block is nearest
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence[0, -1] - keypoints, dim=-1)
    weights = torch.softmax(-d / 0.1)
    return -(weights * d).sum()
