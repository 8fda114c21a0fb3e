num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offsets = action_sequence - keypoints
    return -torch.norm(offsets, dim=-1).mean()
