num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    penalty = torch.where(action_sequence[..., 2] < 0.3, float('inf'), 0.0)
    return -(d + penalty).mean()
