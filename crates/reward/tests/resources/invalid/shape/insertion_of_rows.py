num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = np.insert(action_sequence[0], 0, keypoints[None, :2], axis=0)
    return -np.linalg.norm(path[1:] - path[:-1], axis=-1).sum()
