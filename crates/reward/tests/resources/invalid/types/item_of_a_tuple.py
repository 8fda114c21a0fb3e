num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = (0.0, 0.0, 0.1)
    offset[2] = 0.05
    target = keypoints[0] + torch.tensor(offset)
    return -torch.norm(action_sequence - target, dim=-1).mean()
