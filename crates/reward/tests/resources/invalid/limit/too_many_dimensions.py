num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    grid = action_sequence
    for k in range(12):
        grid = grid.unsqueeze(0)
    return -torch.norm(grid - keypoints[0], dim=-1).mean()
