num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    smooth = F.avg_pool1d(action_sequence[0, :, 0], 3)
    return -smooth.mean() - torch.norm(action_sequence - keypoints[0], dim=-1).mean()
