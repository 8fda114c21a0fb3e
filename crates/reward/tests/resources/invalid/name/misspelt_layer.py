num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    loss = torch.nn.MSEloss()
    return -loss(action_sequence, keypoints[0].expand(1, 15, 3))
