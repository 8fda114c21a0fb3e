num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = [1.0, 0.5]
    reach = torch.norm(action_sequence - keypoints[0], dim=-1).mean()
    return -weights(0) * reach
