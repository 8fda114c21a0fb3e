num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    target = "handle"
    scale = 2.0 if target > 1 else 1.0
    return -scale * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
