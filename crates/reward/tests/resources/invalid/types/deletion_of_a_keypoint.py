num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    del keypoints[0]
    return -torch.cdist(action_sequence[0], keypoints).mean()
