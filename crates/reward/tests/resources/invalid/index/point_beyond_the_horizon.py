num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    final = action_sequence[:, 15]
    return -torch.norm(final - keypoints[0], dim=-1).mean()
