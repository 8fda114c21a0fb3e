num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    parts = torch.linalg.svd(keypoints - keypoints.mean(dim=0))
    normal = parts.V[:, -1]
    return -((action_sequence - keypoints[0]) @ normal).abs().mean()
