num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    dz = action_sequence[:, -1, 2] - keypoints[0, 2]
    return -(dz ** 1.5).mean()
