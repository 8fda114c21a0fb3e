num_stages = 2

# Stage 1: reach the handle
def stage1_guidance(keypoints, action_sequence):
    handle = keypoints[0] + torch.tensor([0.0, 0.0, 0.02])
    return -torch.norm(action_sequence - handle, dim=-1).mean()

# Stage 2: pull it
def stage2_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - handle, dim=-1).mean() - action_sequence[:, -1, 0].mean()
