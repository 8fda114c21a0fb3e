num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = (action_sequence - keypoints[0]).abs()
    return -d.mean(dim=1)
