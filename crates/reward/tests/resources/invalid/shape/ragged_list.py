num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    waypoints = torch.tensor([[0.4, 0.0, 0.3], [0.5, 0.1]])
    return -torch.norm(action_sequence[:, -1] - waypoints[0], dim=-1).mean()
