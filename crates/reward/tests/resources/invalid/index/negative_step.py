num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    backward = action_sequence[:, ::-1]
    return -torch.norm(backward - keypoints[0], dim=-1).mean()
