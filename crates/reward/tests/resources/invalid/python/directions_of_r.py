num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = np.r_["0,2", keypoints[0], keypoints[1]]
    return -torch.cdist(action_sequence[0], torch.as_tensor(path)).mean()
