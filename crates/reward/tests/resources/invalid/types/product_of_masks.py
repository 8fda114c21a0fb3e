num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0] - keypoints[0], dim=-1)
    far = distance > 0.1
    both = far[None] @ (action_sequence[0, :, 2] > 0.1)[:, None]
    return -distance.mean() - both.float().sum()
