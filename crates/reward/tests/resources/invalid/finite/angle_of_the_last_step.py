num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    height = (action_sequence[:, -1, 2] - keypoints[0, 2]).abs()
    return -torch.acos(1.0 + height).mean()
