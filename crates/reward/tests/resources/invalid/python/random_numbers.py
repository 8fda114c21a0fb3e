num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    noise = torch.randn(3) * 0.01
    return -torch.norm(action_sequence - keypoints[0] - noise, dim=-1).mean()
