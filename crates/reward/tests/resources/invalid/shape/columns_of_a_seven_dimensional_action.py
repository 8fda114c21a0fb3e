num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    rotation = action_sequence[..., 3:7]
    return -torch.norm(action_sequence[..., :3] - keypoints[0], dim=-1).mean() - rotation.abs().max()
