num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    target = keypoints[0] if keypoints[0, 0] > keypoints[1, 0] else keypoints[1]
    return -torch.norm(action_sequence - target, dim=-1).mean()
