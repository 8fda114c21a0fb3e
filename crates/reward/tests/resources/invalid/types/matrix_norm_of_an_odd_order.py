num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = action_sequence[0] - keypoints[0]
    return -torch.linalg.matrix_norm(offset, ord=3)
