num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0, -1] - keypoints[0])
    terms = [-distance]
    if distance < 0.1:
        terms.append(-action_sequence[0, -1, 2])
    return sum(terms)
