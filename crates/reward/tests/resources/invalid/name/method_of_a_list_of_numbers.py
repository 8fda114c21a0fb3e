num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = [0.1, 0.0, 0.2]
    scale = offset.norm()
    return -scale * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
