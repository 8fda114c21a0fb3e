num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - math, dim=-1).mean()
