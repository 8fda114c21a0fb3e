num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weight = 1.0 / (action_sequence.shape[0] - 1)
    return -weight * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
