num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0, -1] - keypoints[0])
    terms = {"far": -distance}
    if distance < 0.1:
        terms = {"near": 0.1 - distance}
    return terms["far"]
