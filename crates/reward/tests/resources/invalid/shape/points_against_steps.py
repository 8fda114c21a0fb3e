num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence - keypoints[1], dim=-1)
    speed = torch.norm(torch.diff(action_sequence, dim=1), dim=-1)
    return -(distance * speed).mean()
