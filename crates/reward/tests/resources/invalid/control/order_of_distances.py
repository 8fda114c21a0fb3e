num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distances = [torch.norm(action_sequence[0, -1] - keypoints[k]) for k in range(3)]
    order = sorted(range(3), key=lambda k: (distances[k], k))
    return -distances[order[0]]
