num_stages = 3

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[0], dim=-1)

# Stage 2: lift it
def stage2_guidance(keypoints, action_sequence):
    if action_sequence[0, :, 2] > 0.2:
        return 0
    return action_sequence[..., 2].mean()

# Stage 3: place it
def stage3_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[9], dim=-1).mean()
