num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    height = action_sequence[..., 2]
    inside = height > 0.1 & height < 0.3
    return torch.where(inside, height, -height).mean()
