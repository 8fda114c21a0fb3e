num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    reward = 0
    while True:
        reward += action_sequence.sum()
    return reward
