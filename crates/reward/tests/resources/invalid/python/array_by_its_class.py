num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = np.ndarray([0.0, 0.0, 0.1])
    return -np.linalg.norm(action_sequence - keypoints[0] - offset, axis=-1).mean()
