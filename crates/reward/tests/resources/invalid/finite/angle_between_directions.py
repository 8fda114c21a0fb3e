num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    a = F.normalize(action_sequence[:, -1] - keypoints[0], dim=-1)
    b = F.normalize(keypoints[1] - keypoints[0], dim=-1)
    return -torch.acos((a * b).sum(dim=-1)).mean()
