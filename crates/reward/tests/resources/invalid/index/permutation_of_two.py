num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    columns = action_sequence.permute(1, 0)
    return -columns.abs().mean()
