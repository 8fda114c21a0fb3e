num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    later = torch.arange(14) > 7
    return -torch.norm(action_sequence[:, later] - keypoints[0], dim=-1).mean()
