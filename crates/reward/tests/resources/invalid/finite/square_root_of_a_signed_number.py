num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    x = action_sequence[..., 1]
    return -torch.sqrt(x).mean()
