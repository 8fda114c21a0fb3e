num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    product = torch.tensordot(action_sequence, keypoints, dims=([1, 2], [1]))
    return -product.mean()
