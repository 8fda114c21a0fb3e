num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = action_sequence.numpy() - keypoints[0].numpy()
    return -np.linalg.norm(offset, axis=-1).mean()
