num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    target = torch.tensor([0.4, 0.0, 0.2], dtype=torch.float24)
    return -torch.norm(action_sequence - target, dim=-1).mean()
