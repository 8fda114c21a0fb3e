num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    reward = 0
    for t in range(15 / 3):
        reward = reward - torch.norm(action_sequence[:, t] - keypoints[0], dim=-1).mean()
    return reward
