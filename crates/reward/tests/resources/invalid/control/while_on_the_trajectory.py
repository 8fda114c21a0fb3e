num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    t = 0
    while torch.norm(action_sequence[0, t] - keypoints[0]) > 0.05:
        t += 1
    return -action_sequence[0, t, 2]
