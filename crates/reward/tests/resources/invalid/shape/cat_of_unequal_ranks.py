num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = torch.cat([action_sequence, keypoints[0:1]], dim=1)
    steps = path[:, 1:] - path[:, :-1]
    return -(steps ** 2).sum(dim=-1).mean()
