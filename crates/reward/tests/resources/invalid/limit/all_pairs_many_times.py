num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    total = 0.0
    for k in range(60):
        total = total + torch.cdist(action_sequence, action_sequence + 0.01 * k).mean()
    return -distance.mean() - total
