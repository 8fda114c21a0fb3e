num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    direction = F.normalize(keypoints[1] - keypoints[0], dim=-1)
    motion = action_sequence[:, 1:] - action_sequence[:, :-1]
    return torch.dot(motion, direction).mean()
