num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    path = torch.cat([action_sequence, keypoints[None]], dim=0)
    return -(path ** 2).sum(dim=-1).mean()
