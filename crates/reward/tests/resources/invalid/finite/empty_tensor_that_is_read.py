num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    cost = torch.empty(action_sequence.shape[1])
    cost[1:] = torch.norm(action_sequence[0, 1:] - keypoints[0], dim=-1)
    return -cost.mean()
