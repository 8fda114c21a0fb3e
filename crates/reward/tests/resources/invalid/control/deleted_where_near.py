num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0] - keypoints[0], dim=-1)
    return -np.delete(distance, distance < 0.1).sum()
