num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = F.interpolate(action_sequence, size=30, mode="cubic")
    return -torch.norm(path.transpose(1, 2)[..., :3] - keypoints[0], dim=-1).mean()
