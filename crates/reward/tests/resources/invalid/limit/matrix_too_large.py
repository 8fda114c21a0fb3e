num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence[0]
    values, vectors = torch.linalg.eigh(path @ path.T)
    return -values[-1]
