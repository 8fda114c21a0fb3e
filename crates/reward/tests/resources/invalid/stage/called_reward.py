num_stages = 1

# Stage 1: reach the block
def stage1_reward(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
