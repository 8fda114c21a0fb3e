num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = torch.linspace(0, 1, 15)
    return -(weights * (action_sequence - keypoints[0]).abs()).mean()
