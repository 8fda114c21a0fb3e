num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    if keypoints.shape[0] = 3:
        return -torch.norm(action_sequence - keypoints[2], dim=-1).mean()
    return -action_sequence.mean()
