num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    direction = keypoints[1] - keypoints[0]
    return torch.einsum('td,d->t', action_sequence, direction).mean()
