num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = action_sequence.detach().cpu().numpy()
    return -np.linalg.norm(path - keypoints[0], axis=-1).mean()
