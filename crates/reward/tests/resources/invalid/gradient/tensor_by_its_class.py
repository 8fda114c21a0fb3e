num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    ends = torch.Tensor([action_sequence[0, 0, 2], action_sequence[0, -1, 2]])
    return -ends.abs().mean()
