num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
    return -d if d > 0.05 else torch.tensor(0.0)
