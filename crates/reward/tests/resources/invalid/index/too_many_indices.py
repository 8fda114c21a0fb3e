num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    x = action_sequence[0, -1, 0, 0]
    return -(x - keypoints[0, 0]).abs()
