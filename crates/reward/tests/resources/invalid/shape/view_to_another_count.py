num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    flat = action_sequence.view(1, 14, 3)
    return -(flat - keypoints[0]).pow(2).sum(dim=-1).mean()
