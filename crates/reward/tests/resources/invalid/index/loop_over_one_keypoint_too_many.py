num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    reward = 0.0
    for i in range(4):
        reward = reward - torch.norm(action_sequence[:, -1] - keypoints[i], dim=-1).mean()
    return reward
