num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    p = torch.stack(action_sequence[0, -1, 0], action_sequence[0, -1, 1], keypoints[0, 2])
    return -torch.norm(p - keypoints[0])
