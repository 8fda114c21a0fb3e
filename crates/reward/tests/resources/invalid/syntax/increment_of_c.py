num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    n = 0
    for t in range(15):
        n++
    return -action_sequence.mean() / n
