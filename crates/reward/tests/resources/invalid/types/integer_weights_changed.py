num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = torch.arange(15)
    weights += 0.5
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -(weights * distance).mean()
