num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    coarse = F.interpolate(action_sequence[0], size=5)
    return -torch.norm(coarse - keypoints[0], dim=-1).mean()
