num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    low = action_sequence[..., 2] < 0.1
    far = (distance > 0.2) or low
    return -distance.mean() - (far * distance).mean()
