num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    weights = {"reach": 1.0, "lift": 0.5, "turn": 0.1}
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -sum(weights[0:2]) * distance.mean()
