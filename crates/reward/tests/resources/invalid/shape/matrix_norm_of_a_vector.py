num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.linalg.matrix_norm(action_sequence[0, -1] - keypoints[0])
    return -distance
