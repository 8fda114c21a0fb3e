num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    optimizer = torch.optim.Adam([action_sequence], lr=0.01)
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
