import operator

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weight = 2.0 if operator.contains([0, 1], 0) else 1.0
    return -weight * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
