num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    offset = action_sequence - keypoints[0]
    with torch.no_grad():
        offset[..., 2] *= 0.5
    return -torch.norm(offset, dim=-1).mean()
