num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    velocity = torch.gradient(action_sequence, spacing=(0.1,), dim=1, edge_order=2)[0]
    return -torch.norm(velocity, dim=-1).mean() - torch.norm(action_sequence - keypoints[0], dim=-1).mean()
