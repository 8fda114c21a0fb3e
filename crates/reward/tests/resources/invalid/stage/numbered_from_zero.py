num_stages = 1

# Stage 0: reach the block
def stage0_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
