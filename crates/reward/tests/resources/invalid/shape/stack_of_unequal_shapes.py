num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    parts = torch.stack([action_sequence[:, -1], keypoints[0]])
    return -parts.var(dim=0).sum()
