num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = lambda a, b: torch.norm(a - b, dim=-1)
    return -distance(action_sequence).mean()
