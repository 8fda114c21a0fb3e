num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    for t in range(15, 15):
        return -torch.norm(action_sequence[:, t] - keypoints[0], dim=-1).mean()
