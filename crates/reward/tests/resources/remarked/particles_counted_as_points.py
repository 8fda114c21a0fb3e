num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    horizon = action_sequence.shape[0]
    weight = torch.linspace(0.5, 1.0, horizon)
    return -((action_sequence - keypoints[0]).norm(dim=-1) * weight).sum()
