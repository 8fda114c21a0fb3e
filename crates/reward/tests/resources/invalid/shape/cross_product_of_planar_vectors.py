num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    a = action_sequence[..., :2] - keypoints[0, :2]
    b = keypoints[1, :2] - keypoints[0, :2]
    return torch.cross(a, b.expand_as(a), dim=-1).sum()
