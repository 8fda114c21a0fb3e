num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = np.broadcast_to(np.array([1.0]), (15,))
    weights[-1] = 2.0
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -(torch.tensor(weights) * distance).mean()
