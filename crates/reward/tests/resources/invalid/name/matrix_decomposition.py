num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    centred = keypoints - keypoints.mean(dim=0)
    u, s, v = torch.svd(centred)
    normal = v[:, -1]
    return -((action_sequence - keypoints[0]) @ normal).abs().mean()
