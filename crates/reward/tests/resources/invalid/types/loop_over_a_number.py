num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    total = 0
    for k in 3:
        total = total - torch.norm(action_sequence[:, -1] - keypoints[k], dim=-1).mean()
    return total
