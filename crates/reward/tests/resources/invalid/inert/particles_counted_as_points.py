num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    T = action_sequence.shape[0]
    weight = torch.linspace(0, 1, T)
    return -((action_sequence - keypoints[0]).norm(dim=-1) * weight).sum()
