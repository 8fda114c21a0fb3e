num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    target = keypoint[0] + torch.tensor([0.0, 0.0, 0.1])
    distance = torch.norm(action_sequence - target, dim=-1)
    return -distance.mean()
