num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    scale = 0.5
    scale = scale.expand(15) if scale.shape else scale
    return -scale * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
