num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    terms = []
    terms = terms.append(action_sequence[..., 2].mean())
    return sum(terms)
