num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    handle = keypoints["handle"]
    return -torch.norm(action_sequence - handle, dim=-1).mean()
