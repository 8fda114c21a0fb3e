num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    last = action_sequence[-1, -1]
    first = action_sequence[1, 0]
    return -torch.norm(last - first)
