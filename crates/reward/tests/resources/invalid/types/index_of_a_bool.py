num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    is_high = len(keypoints) > 2
    target = keypoints[is_high]
    return -torch.norm(action_sequence - target, dim=-1).mean()
