num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    smooth = np.convolve(action_sequence[0], np.ones(3) / 3, mode="valid")
    return -np.abs(smooth - keypoints[0]).mean()
