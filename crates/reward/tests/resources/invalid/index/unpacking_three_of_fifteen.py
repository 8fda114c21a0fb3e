num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    x, y, z = action_sequence[0]
    return -(z - keypoints[0, 2]).abs().mean()
