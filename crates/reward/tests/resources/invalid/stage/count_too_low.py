num_stages = 1

# Stage 1: reach
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()

# Stage 2: lift
def stage2_guidance(keypoints, action_sequence):
    return action_sequence[..., 2].mean()
