num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[1.5]
    return -torch.norm(action_sequence - target, dim=-1).mean()
