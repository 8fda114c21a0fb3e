num_stages = 1

# Stage 1: stay above the table
def stage1_guidance(keypoints, action_sequence):
    return -torch.relu(-0.15 - action_sequence[..., 2]).sum()
