num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    w, v = np.linalg.eig(turn)
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean() * w[0]
