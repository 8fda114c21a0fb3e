num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    terms = [torch.norm(action_sequence[0, -1] - keypoints[k]) for k in range(3)]
    return -sum(terms) / terms.shape[0]
