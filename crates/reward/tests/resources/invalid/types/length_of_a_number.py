num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    n = len(0.5)
    return -action_sequence.mean() * n
