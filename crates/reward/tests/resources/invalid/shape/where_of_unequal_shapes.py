num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    height = action_sequence[..., 2]
    safe = torch.where(height > 0.1, action_sequence, 0.0)
    return -torch.norm(safe - keypoints[0], dim=-1).mean()
