num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    low = action_sequence[action_sequence[..., 2] < 0.1]
    return low[:, 2].mean()
