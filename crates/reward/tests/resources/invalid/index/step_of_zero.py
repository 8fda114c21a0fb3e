num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[:, ::0]
    return -torch.norm(path - keypoints[0], dim=-1).mean()
