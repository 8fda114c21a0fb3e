num_stages = 1

# Stage 1: lift the block
def stage1_guidance(keypoints, action_sequence):
    return action_sequence[..., 2].mean()
