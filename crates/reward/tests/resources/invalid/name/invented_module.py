num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = scipy.spatial.distance.cdist(action_sequence[0], keypoints)
    return -d.min()
