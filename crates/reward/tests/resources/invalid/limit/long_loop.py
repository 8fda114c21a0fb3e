num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    reward = 0.0
    for i in range(10000000):
        reward = reward - torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
    return reward
