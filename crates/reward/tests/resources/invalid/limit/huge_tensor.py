num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    grid = torch.zeros(1000, 1000)
    return action_sequence.mean() + grid.sum()
