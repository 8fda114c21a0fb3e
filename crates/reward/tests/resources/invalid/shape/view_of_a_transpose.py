num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    flat = action_sequence.transpose(1, 2).view(1, 45)
    return -flat.abs().mean() - torch.norm(action_sequence - keypoints[0], dim=-1).mean()
