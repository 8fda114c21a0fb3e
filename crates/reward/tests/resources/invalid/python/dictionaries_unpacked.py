num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    parts = [{"reach": 1.0}, {"lift": 0.5}]
    weights = {**part for part in parts}
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -weights["reach"] * distance.mean()
