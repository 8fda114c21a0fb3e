num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    steps = action_sequence[:, 1:] - action_sequence[:, :-1]
    return -torch.sqrt((steps ** 2).sum(dim=-1)).sum()
