num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    inside = (action_sequence[..., 2] > 10.0).float()
    return -(inside * float('inf')).sum() - action_sequence.pow(2).mean()
