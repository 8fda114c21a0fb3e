num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = action_sequence - keypoints[0]
    return -(offset @ offset).mean()
