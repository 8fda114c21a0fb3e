num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    lift = action_sequence[..., 2] - start_keypoints[0, 2]
    return lift.clamp(max=0.1).mean() - torch.norm(action_sequence - keypoints[0], dim=-1).mean()
