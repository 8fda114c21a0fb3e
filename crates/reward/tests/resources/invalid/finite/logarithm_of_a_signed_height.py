num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    height = action_sequence[..., 2] - 0.3
    return torch.log(height).mean()
