num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0, -1] - keypoints[0])
    if distance < 0.1:
        terms = [-distance, -action_sequence[0, -1, 2]]
    else:
        terms = [-distance]
    return sum(terms)
