num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    reward = torch.tensor(1.0)
    return reward
