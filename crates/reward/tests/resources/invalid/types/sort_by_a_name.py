num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    heights = sorted([0.3, 0.1, 0.2], key="height")
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean() * heights[0]
