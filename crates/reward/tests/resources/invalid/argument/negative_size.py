num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    w = torch.ones(action_sequence.shape[1] - 20)
    return -(w * action_sequence[..., 2]).mean()
