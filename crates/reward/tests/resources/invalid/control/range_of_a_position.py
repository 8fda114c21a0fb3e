num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    steps = int(action_sequence[0, -1, 0] * 10)
    return -action_sequence[:, :steps].mean()
