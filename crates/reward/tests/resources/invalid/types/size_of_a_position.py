num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    count = action_sequence[0, -1, 2]
    weights = torch.linspace(0, 1, count)
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -(weights * distance).mean()
