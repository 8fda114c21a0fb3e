num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = (action_sequence - keypoints[0]).t()
    return -torch.norm(offset, dim=-2).mean()
