num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    late = action_sequence[:, 20:]
    return -torch.norm(late - keypoints[0], dim=-1).mean(dim=1)
