num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    last = action_sequence[-1]
    return -torch.norm(last - keypoints[0])
