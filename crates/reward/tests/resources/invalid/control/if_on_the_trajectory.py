num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    if action_sequence[0, -1, 2] > 0.1:
        return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
    return action_sequence[..., 2].mean()
