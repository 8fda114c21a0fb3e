num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    entry = (0, 2)
    lift = action_sequence[0, -1, 2] - keypoints[*entry]
    return lift.clamp(max=0.1) - torch.norm(action_sequence - keypoints[0], dim=-1).mean()
