num_stages = 1

# Stage 1: move smoothly
def stage1_guidance(keypoints, action_sequence):
    step = action_sequence[1:] - action_sequence[:-1]
    return -step.norm(dim=-1).sum()
