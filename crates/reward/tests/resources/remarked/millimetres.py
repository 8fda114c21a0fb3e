num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    above = keypoints[0] + torch.tensor([0.0, 0.0, 50.0])
    return -torch.norm(action_sequence - above, dim=-1).mean()
