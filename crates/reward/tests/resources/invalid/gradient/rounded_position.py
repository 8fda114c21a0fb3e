num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    cell = torch.round(action_sequence / 0.01)
    return -cell.abs().mean()
