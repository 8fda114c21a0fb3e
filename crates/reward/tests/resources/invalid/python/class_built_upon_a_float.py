class Height(float):
    pass

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    height = Height(0.1)
    target = keypoints[0] + torch.tensor([0.0, 0.0, height])
    return -torch.norm(action_sequence - target, dim=-1).mean()
