num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    parts = ["lid", "cup"]
    k = parts.index("handle")
    return -torch.norm(action_sequence - keypoints[k], dim=-1).mean()
