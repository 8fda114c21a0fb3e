num_stages = 1

# Stage 1: reach above the block
def stage1_guidance(keypoints, action_sequence):
    height = torch.Tensor(0.05)
    above = keypoints[0] + height
    return -torch.norm(action_sequence - above, dim=-1).mean()
