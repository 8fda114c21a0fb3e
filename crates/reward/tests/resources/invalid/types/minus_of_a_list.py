num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = [0.5, 1.0]
    scale = -weights
    return scale[0] * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
